import type { Clock } from '../src/ports/clock.js'
import type { Connection, Connector } from '../src/ports/connector.js'

/** Bytes that a link carries at once. */
const PACKET_BYTES = 16_384

/** What one connection has given to the link and the link has not carried yet. */
interface Lane {
  readonly packets: { readonly bytes: number; readonly left: () => void }[]
}

/**
 * What all connections of one peer share: a link that carries so many bytes in a second, in turn for each of them.
 * Of `data` only; what is not blocks is not held up.
 */
export class Uplink {
  sentBytes = 0
  readonly #bytesPerMs: number
  readonly #clock: Clock
  readonly #waiting: Lane[] = []
  #busy = false

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerMs = bytesPerSecond / 1000
    this.#clock = clock
  }

  lane(): Lane {
    return { packets: [] }
  }

  send(lane: Lane, bytes: number, left: () => void): void {
    lane.packets.push({ bytes, left })
    if (lane.packets.length === 1) this.#waiting.push(lane)
    if (!this.#busy) this.#next()
  }

  #next(): void {
    const lane = this.#waiting.shift()
    const packet = lane?.packets.shift()
    this.#busy = packet !== undefined
    if (lane === undefined || packet === undefined) return
    if (lane.packets.length > 0) this.#waiting.push(lane)
    this.#clock.after(packet.bytes / this.#bytesPerMs, () => {
      this.sentBytes += packet.bytes
      packet.left()
      this.#next()
    })
  }
}

/** Connections whose blocks leave over one link. */
export function over(uplink: Uplink, connector: Connector): Connector {
  return {
    unavailable: connector.unavailable,
    connect: (options, events) => {
      const lane = uplink.lane()
      let isClosed = false
      let buffered = 0
      const connection: Connection = connector.connect(options, {
        ...events,
        ondrain: () => {},
        onclose: reason => {
          isClosed = true
          events.onclose(reason)
        }
      })
      return {
        get hasControl() {
          return connection.hasControl
        },
        get bufferedAmount() {
          return buffered
        },
        get controlBufferedAmount() {
          return connection.controlBufferedAmount
        },
        bufferedAmountLowThreshold: 0,
        signal: signal => connection.signal(signal),
        send(message, way) {
          if (way !== 'data') {
            connection.send(message, way)
            return
          }
          const copy = message.slice()
          buffered += copy.length
          let rest = copy.length
          while (rest > 0) {
            const bytes = Math.min(PACKET_BYTES, rest)
            rest -= bytes
            const isLast = rest === 0
            uplink.send(lane, bytes, () => {
              const wasAbove = buffered > this.bufferedAmountLowThreshold
              buffered -= bytes
              if (isClosed) return
              if (isLast) connection.send(copy, 'data')
              if (wasAbove && buffered <= this.bufferedAmountLowThreshold) events.ondrain()
            })
          }
        },
        close: reason => {
          isClosed = true
          connection.close(reason)
        }
      }
    }
  }
}
