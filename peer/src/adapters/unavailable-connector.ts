import type { Connector } from '../ports/connector.js'

/** A connector for where there is no WebRTC: every connection ends at once with `reason`. */
export function unavailableConnector(reason: string): Connector {
  return {
    unavailable: reason,
    connect(_, events) {
      queueMicrotask(() => events.onclose(reason))
      const amounts = { bufferedAmount: 0, controlBufferedAmount: 0, bufferedAmountLowThreshold: 0 }
      return { hasControl: false, ...amounts, signal() {}, send() {}, close() {} }
    }
  }
}
