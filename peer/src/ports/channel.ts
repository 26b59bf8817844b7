import type { PeerAddress } from '@mayfly/common'

/**
 * One reliable, ordered data channel to one peer, used for every full hash.
 *
 * Whole messages in, whole messages out. Handlers are plain fields, set once by the owner right when the
 * channel is handed over; nothing is delivered before that turn of the event loop ends.
 */
export interface Channel {
  readonly remote: PeerAddress
  /** Bytes given to `send` that have not left yet. */
  readonly bufferedAmount: number
  /** `ondrain` is called when `bufferedAmount` falls to this many bytes or fewer. */
  bufferedAmountLowThreshold: number
  readonly closed: boolean
  /** Queues a copy of one message. After the channel closed this does nothing. Never throws. */
  send(message: Uint8Array<ArrayBuffer>): void
  /** Closes; `onclose` is called once, also for a close from this side. */
  close(reason: string): void
  onmessage: ((message: Uint8Array<ArrayBuffer>) => void) | undefined
  ondrain: (() => void) | undefined
  onclose: ((reason: string) => void) | undefined
}
