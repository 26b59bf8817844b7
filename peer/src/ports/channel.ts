import type { PeerAddress } from '@mayfly/common'
import type { EarlyOpen } from '../core/signal-data.js'
import type { Lane } from './connector.js'

/**
 * One reliable channel to one peer, used for every full hash. Ordered, or ordered in each of two lanes.
 *
 * Whole messages in, whole messages out. Handlers are plain fields, set once by the owner right when the
 * channel is handed over; nothing is delivered before that turn of the event loop ends.
 */
export interface Channel {
  readonly remote: PeerAddress
  /** What was asked for with the offer, by us or by the other side: the first message of who offered. */
  readonly early?: { readonly by: 'us' | 'them'; readonly open: EarlyOpen } | undefined
  /** Each lane keeps its own order only. False: all messages keep their order, whichever their lane. */
  readonly hasControl: boolean
  /** Bytes given to `send` in the lane `data` that have not left yet. */
  readonly bufferedAmount: number
  /** The same of the lane `control`; 0 where it has no channel of its own. */
  readonly controlBufferedAmount: number
  /** `ondrain` is called when `bufferedAmount` falls to this many bytes or fewer. */
  bufferedAmountLowThreshold: number
  readonly closed: boolean
  /** Queues a copy of one message. After the channel closed this does nothing. Never throws. Default lane: `data`. */
  send(message: Uint8Array<ArrayBuffer>, lane?: Lane): void
  /** Closes; `onclose` is called once, also for a close from this side. */
  close(reason: string): void
  onmessage: ((message: Uint8Array<ArrayBuffer>) => void) | undefined
  ondrain: (() => void) | undefined
  onclose: ((reason: string) => void) | undefined
}
