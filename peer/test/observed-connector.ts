import { decodeWireMessage } from '@mayfly/common'
import type { Clock } from '../src/ports/clock.js'
import type { Connector } from '../src/ports/connector.js'

/** What a test wants to know of someone's connections, or do to them. */
export interface Observation {
  /** Milliseconds that whatever arrives is on its way. Default: none. */
  readonly delayMs?: number | undefined
  /** Told of each message with blocks that arrives: how many bytes of them. */
  readonly onpayload?: ((bytes: number) => void) | undefined
  /** Told how many connections there are, attempts included, whenever there is one more. */
  readonly onconnections?: ((count: number) => void) | undefined
  /** From when it gives true on, nothing arrives or leaves any more, as when a process is killed. */
  readonly isGone?: (() => boolean) | undefined
}

/** Connections that are observed. */
export function observed(connector: Connector, clock: Clock, observation: Observation): Connector {
  const { delayMs = 0, onpayload, onconnections, isGone = () => false } = observation
  let count = 0
  const later = (run: () => void): void => {
    if (delayMs === 0) run()
    else clock.after(delayMs, run)
  }
  return {
    unavailable: connector.unavailable,
    connect: (options, events) => {
      let isClosed = false
      let isCounted = true
      onconnections?.(++count)
      const left = (): void => {
        if (isCounted) count--
        isCounted = false
      }
      const connection = connector.connect(options, {
        onsignal: signal => events.onsignal(signal),
        onopen: () => events.onopen(),
        ondrain: () => events.ondrain(),
        onsuspect: isSuspect => events.onsuspect(isSuspect),
        onclose: reason => {
          left()
          if (isClosed) events.onclose(reason)
          else later(() => events.onclose(reason))
        },
        onmessage: message =>
          later(() => {
            if (isClosed || isGone()) return
            const decoded = onpayload && decodeWireMessage(message)
            if (decoded?.type === 'data' || decoded?.type === 'part') onpayload?.(decoded.bytes.length)
            if (decoded?.type === 'start') onpayload?.(decoded.data.bytes.length)
            events.onmessage(message)
          })
      })
      return {
        get hasControl() {
          return connection.hasControl
        },
        get bufferedAmount() {
          return connection.bufferedAmount
        },
        get controlBufferedAmount() {
          return connection.controlBufferedAmount
        },
        get bufferedAmountLowThreshold() {
          return connection.bufferedAmountLowThreshold
        },
        set bufferedAmountLowThreshold(bytes) {
          connection.bufferedAmountLowThreshold = bytes
        },
        signal: signal => connection.signal(signal),
        send: (message, lane) => void (isGone() || connection.send(message, lane)),
        close: reason => {
          left()
          isClosed = true
          connection.close(reason)
        }
      }
    }
  }
}
