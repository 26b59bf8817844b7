import type { FullHash, RequesterMessage } from '@mayfly/common'
import type { EarlyOpen } from './signal-data.js'

/** The number of the stream that an offer opens. */
export const EARLY_STREAM = 0

/**
 * The stream of the requester that its offer has opened already.
 *
 * When the channel opens, something else may be wanted than what was asked for with the offer. Then that stream
 * is closed, and the one that its owner knows by this number has another one on the channel.
 */
export class EarlyStream {
  #state: 'none' | 'waiting' | 'taken' | 'begun' = 'none'
  readonly #open: EarlyOpen | undefined
  #number: number | undefined = EARLY_STREAM

  constructor(open: EarlyOpen | undefined) {
    this.#open = open
    if (open !== undefined) this.#state = 'waiting'
  }

  /** Streams that were opened with the offer. */
  get streams(): 0 | 1 {
    return this.#open === undefined ? 0 : 1
  }

  /** Nothing was begun on the channel yet. */
  get waiting(): boolean {
    return this.#state === 'waiting' || this.#state === 'taken'
  }

  /** The number of the stream, for the first who wants this content. */
  take(fullHash: FullHash): number | undefined {
    if (this.#state !== 'waiting' || this.#open?.fullHash !== fullHash) return undefined
    this.#state = 'taken'
    return EARLY_STREAM
  }

  /** What to send on the channel in the place of `message`. `count` gives the number of a further stream. */
  outgoing(message: RequesterMessage, count: () => number): RequesterMessage[] {
    if (this.#open === undefined) return [message]
    if (this.#state === 'waiting') {
      // Another content was asked for first.
      this.#state = 'begun'
      this.#number = undefined
      return [{ type: 'close', stream: EARLY_STREAM }, message]
    }
    if (message.stream !== EARLY_STREAM) return [message]
    if (this.#state === 'taken' && message.type === 'open') {
      this.#state = 'begun'
      if (message.first === this.#open.first && message.count === this.#open.count) return []
      this.#number = count()
      return [
        { type: 'close', stream: EARLY_STREAM },
        { ...message, stream: this.#number }
      ]
    }
    return [{ ...message, stream: this.#number ?? EARLY_STREAM }]
  }

  /** By which number its owner knows the stream of an answer; undefined: nobody does. */
  incoming(stream: number): number | undefined {
    if (this.#open === undefined) return stream
    if (stream === this.#number) return EARLY_STREAM
    return stream === EARLY_STREAM ? undefined : stream
  }
}
