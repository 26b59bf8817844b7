import type { Connector } from '../ports/connector.js'

/** A connector for where there is no WebRTC: every connection ends at once with `reason`. */
export function unavailableConnector(reason: string): Connector {
  return {
    unavailable: reason,
    connect(_, events) {
      queueMicrotask(() => events.onclose(reason))
      return { bufferedAmount: 0, bufferedAmountLowThreshold: 0, signal() {}, send() {}, close() {} }
    }
  }
}
