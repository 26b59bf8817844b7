import {
  CLOSE_CODE,
  EXTENSION,
  decodeMediatorMessage,
  encodeMessage,
  type ClientMessage,
  type Established,
  type MediationError,
  type MediatorId,
  type MediatorMessage,
  type MediatorMessageError,
  type PeerId
} from '@mayfly/common'
import { MessageMeter } from './core/message-meter.js'
import type { Clock } from './ports/clock.js'
import type { OpenSocket, Socket } from './ports/socket.js'

/** From opening the socket to `established`: a handshake may wait 2 s while our last connection is pinged. */
const ESTABLISH_MS = 6_000
/** A mediator that says nothing for so long after a message that it answers at once is dead. */
const ANSWER_MS = 3_000
/** A page cannot see WebSocket pings, so that a silent connection is tested. */
const IDLE_MS = 25_000
/** When to ask again a mediator that named no other one. */
const ASK_AGAIN_MS = 10_000
/** Messages that wait for the meter; more are refused. */
const MAX_QUEUED = 2_048
/** A timer that is late by more was held back with the page: what arrived meanwhile is handled after it. */
const LATE_MS = 1_000

/** Why a session ended. */
export interface SessionEnd {
  readonly code: number
  /** One English sentence. */
  readonly reason: string
  /** Milliseconds since it was established, undefined if it never was. */
  readonly lastedMs: number | undefined
  /** The last `error` of the mediator before it closed. */
  readonly error: MediationError | undefined
}

export interface MediatorSessionEvents {
  /** The socket is open and the handshake sent: what is queued now is handled right behind it. */
  onopen(): void
  onestablished(message: Established): void
  onmessage(message: Exclude<MediatorMessage, Established>): void
  /** Not a message that we know. */
  onunknown(error: MediatorMessageError): void
  /** Exactly once, unless `close` was called. */
  onend(end: SessionEnd): void
}

export interface MediatorSessionOptions {
  readonly url: string
  readonly peerId: PeerId
  readonly token: string | undefined
  readonly openSocket: OpenSocket
  readonly clock: Clock
}

/** Makes the next message when its turn has come; undefined: nothing to send any more. */
export type MessageMaker = () => ClientMessage | undefined

/**
 * One WebSocket connection to one mediator: the handshake, the meter, and whether it is still alive.
 *
 * Signals go before other messages, each kind in its order. Any frame proves that the mediator lives.
 */
export class MediatorSession {
  readonly url: string
  readonly #options: MediatorSessionOptions
  readonly #clock: Clock
  readonly #events: MediatorSessionEvents
  readonly #socket: Socket
  readonly #meter: MessageMeter
  #urgent: MessageMaker[] = []
  #queue: MessageMaker[] = []
  #state: 'opening' | 'open' | 'established' | 'ended' = 'opening'
  #establishedAt = 0
  #mediatorId: MediatorId | undefined
  #error: MediationError | undefined
  #cancelSend: (() => void) | undefined
  #cancelWatch: () => void
  #offersMediators = false
  #cancelAsk: (() => void) | undefined
  #isAwaited = false
  #isOwed = false
  #isSending = false

  constructor(options: MediatorSessionOptions, events: MediatorSessionEvents) {
    this.url = options.url
    this.#options = options
    this.#clock = options.clock
    this.#events = events
    this.#meter = new MessageMeter(options.clock.now())
    this.#cancelWatch = this.#clock.after(ESTABLISH_MS, () =>
      this.#fail('the mediator did not answer in time')
    )
    this.#socket = options.openSocket(options.url, {
      onopen: () => this.#opened(),
      onmessage: text => this.#receive(text),
      onclose: (code, reason) => this.#end(code, reason)
    })
  }

  /** The handshake has been sent, and what was to follow it. */
  get isOpen(): boolean {
    return this.#canSend
  }

  get isEstablished(): boolean {
    return this.#state === 'established'
  }

  /**
   * Queues a message. `answered`: the mediator answers it at once, or is dead. False: the queue is full, or
   * the session is not open yet or any more.
   */
  send(make: MessageMaker, kind: 'urgent' | 'normal', answered = false): boolean {
    const queue = kind === 'urgent' ? this.#urgent : this.#queue
    if (!this.#canSend || queue.length >= MAX_QUEUED) return false
    queue.push(() => {
      const message = make()
      if (message !== undefined && answered) {
        this.#isOwed = !this.isEstablished
        this.#awaitAnswer()
      }
      return message
    })
    this.#sendQueued()
    return true
  }

  /** Finds out whether the mediator still answers. */
  probe(): void {
    if (!this.isEstablished || this.#isAwaited) return
    this.send(
      () => (this.#offersMediators ? { type: 'get_mediators' } : this.#signalToSelf()),
      'urgent',
      true
    )
  }

  /** Ends it without a word to the owner. */
  close(): void {
    this.#finish()
    this.#socket.close(CLOSE_CODE.normal)
  }

  get #canSend(): boolean {
    return this.#state === 'open' || this.#state === 'established'
  }

  #opened(): void {
    if (this.#state !== 'opening') return
    this.#state = 'open'
    const { peerId, token } = this.#options
    this.#meter.take(this.#clock.now())
    this.#socket.send(
      encodeMessage({
        type: 'handshake',
        connectionType: 'mediation',
        peerId,
        ...(token === undefined ? {} : { token })
      })
    )
    this.#events.onopen()
  }

  #receive(text: string): void {
    if (this.#state === 'ended') return
    const decoded = decodeMediatorMessage(text)
    if (this.isEstablished) this.#watchIdle()
    if (!decoded.ok) return this.#events.onunknown(decoded)
    const { message } = decoded
    if (message.type === 'established') return this.#established(message)
    if (message.type !== 'error') return this.#events.onmessage(message)
    if (message.code === 'peer_unreachable' && message.peerId === this.#options.peerId) return
    this.#error = message
    this.#events.onmessage(message)
  }

  #established(message: Established): void {
    if (this.#state !== 'open') return
    this.#state = 'established'
    this.#mediatorId = message.mediatorId
    this.#establishedAt = this.#clock.now()
    this.#error = undefined
    this.#offersMediators = message.extensions?.includes(EXTENSION.getMediators) ?? false
    this.#watchIdle()
    // A mediator that has just started may not know the others yet.
    if (this.#offersMediators && message.mediators === undefined) {
      this.#cancelAsk = this.#clock.after(ASK_AGAIN_MS, () => this.probe())
    }
    if (this.#isOwed) this.#awaitAnswer()
    this.#events.onestablished(message)
  }

  #sendQueued(): void {
    // A message that is being made may queue the next one: that must not overtake it.
    if (this.#isSending) return
    this.#isSending = true
    while (this.#sendOne());
    this.#isSending = false
  }

  /** Sends what is due next. False: nothing is, or not yet. */
  #sendOne(): boolean {
    if (!this.#canSend || this.#urgent.length + this.#queue.length === 0) return false
    const now = this.#clock.now()
    const waitMs = this.#meter.waitMs(now)
    if (waitMs > 0) {
      this.#cancelSend ??= this.#clock.after(waitMs, () => {
        this.#cancelSend = undefined
        this.#sendQueued()
      })
      return false
    }
    const make = this.#urgent.shift() ?? this.#queue.shift()
    const message = make?.()
    if (message === undefined) return true
    this.#meter.take(now)
    this.#socket.send(encodeMessage(message))
    return true
  }

  #watchIdle(): void {
    this.#isAwaited = false
    this.#cancelWatch()
    this.#cancelWatch = this.#clock.after(IDLE_MS, () => this.probe())
  }

  /** Before `established` the time for that is running already; a later question keeps the time of the first. */
  #awaitAnswer(mayBeLate = true): void {
    if (!this.isEstablished || (this.#isAwaited && mayBeLate)) return
    this.#isAwaited = true
    this.#cancelWatch()
    const dueAt = this.#clock.now() + ANSWER_MS
    this.#cancelWatch = this.#clock.after(ANSWER_MS, () => {
      if (mayBeLate && this.#clock.now() - dueAt > LATE_MS) this.#awaitAnswer(false)
      else this.#fail('the mediator does not answer any more')
    })
  }

  /** Answered at once by any mediator, costs no lookup, and is no violation. */
  #signalToSelf(): ClientMessage | undefined {
    const mediatorId = this.#mediatorId
    if (mediatorId === undefined) return undefined
    return { type: 'signal', peerId: this.#options.peerId, mediatorId, data: null }
  }

  #fail(reason: string): void {
    this.#end(0, reason)
    this.#socket.close()
  }

  #end(code: number, reason: string): void {
    if (this.#state === 'ended') return
    const lastedMs = this.isEstablished ? this.#clock.now() - this.#establishedAt : undefined
    this.#finish()
    this.#events.onend({
      code,
      reason: reason === '' ? describeClose(code) : reason,
      lastedMs,
      error: this.#error
    })
  }

  #finish(): void {
    this.#state = 'ended'
    this.#urgent = []
    this.#queue = []
    this.#cancelWatch()
    this.#cancelAsk?.()
    this.#cancelSend?.()
  }
}

function describeClose(code: number): string {
  switch (code) {
    case CLOSE_CODE.goingAway:
      return 'the mediator goes away'
    case CLOSE_CODE.unauthorized:
      return 'the mediator does not let us in'
    case CLOSE_CODE.peerIdInUse:
      return 'another session has our peer id'
    case CLOSE_CODE.rateLimited:
      return 'the mediator says that we sent too much'
    case CLOSE_CODE.violations:
      return 'the mediator says that we broke the protocol'
    default:
      return code === 1006 ? 'the mediator cannot be reached' : `the mediator closed the connection (${code})`
  }
}
