import {
  CLOSE_CODE,
  decodeReplicationMessage,
  encodeReplicationMessage,
  type MediatorId,
  type ReplicationDecoderLimits,
  type ReplicationLimits,
  type ReplicationMessage
} from '@mayfly/common'
import type { Milliseconds } from '../../core/milliseconds.js'
import { TokenBucket } from '../../core/token-bucket.js'
import { Unconfirmed, type SignalPair } from './unconfirmed.js'
import { Handshake, type HandshakeOptions, type Role } from './handshake.js'

/** What mediators say to each other once a link is in use. */
export type LinkMessage = Exclude<
  ReplicationMessage,
  { type: 'challenge' | 'proof' | 'use' | 'routed' | 'ping' | 'pong' }
>

/** What has to be done about a link. Perform in order. */
export type LinkEffect =
  | { readonly type: 'send'; readonly text: string }
  | { readonly type: 'close'; readonly code: number; readonly reason: string }
  /** Both have proved their ids. */
  | { readonly type: 'proved' }
  /** The other side, which decides, has chosen this link. */
  | { readonly type: 'chosen' }
  | { readonly type: 'message'; readonly message: LinkMessage }

/** Bounds of a link. */
export interface LinkLimits extends ReplicationLimits, ReplicationDecoderLimits {
  /** Milliseconds from the start to the proof. */
  readonly handshakeTimeoutMs: number
  /** Malformed messages after which the link is closed. */
  readonly maxViolations: number
}

/** proving → proved → in use → closed; closed from anywhere. */
type State = 'proving' | 'proved' | 'used' | 'closed'

/** A proved link that nobody chooses is not kept. */
const UNUSED_MS = 5_000
/** Below the rate at which the other side cuts us off. */
const HONEST_SHARE = 0.9
/** Messages that wait for the meter; at 450 a second, four seconds of them. */
const MAX_QUEUED = 2_000
const MODULUS = 2 ** 32

/**
 * One connection between two mediators, on this side: proof, choice, meter, signs of life.
 *
 * Nothing but the proof passes before both are proved, and nothing but pings before the link is chosen.
 * Memory: at most `MAX_QUEUED` messages and `queueBytes` bytes wait for the meter.
 */
export class Link {
  readonly other: MediatorId
  readonly role: Role
  /** The URL that was dialled; for a listener its own. */
  readonly url: string
  /** When both were proved. */
  provedAt: Milliseconds = 0
  readonly #handshake: Handshake
  readonly #decides: boolean
  readonly #limits: LinkLimits
  readonly #incoming: TokenBucket
  readonly #outgoing: TokenBucket
  readonly #queue: string[] = []
  readonly #unconfirmed = new Unconfirmed()
  /** Signals handled for the other side, and how many of them it knows of. */
  #handled = 0
  #handledTold = 0
  #queueBytes = 0
  #state: State = 'proving'
  #probe: boolean
  #deadline: Milliseconds
  #heardAt: Milliseconds
  #pingAt: Milliseconds = Infinity
  #violations = 0

  constructor(options: HandshakeOptions, limits: LinkLimits, now: Milliseconds) {
    this.other = options.other
    this.role = options.role
    this.url = options.url
    this.#handshake = new Handshake(options)
    this.#probe = options.role === 'dialer' && options.probe === true
    this.#decides = options.identity.mediatorId < options.other
    this.#limits = limits
    const { messagesPerSecond: perSecond, messagesBurst: burst } = limits
    this.#incoming = new TokenBucket({ perSecond, burst }, now)
    this.#outgoing = new TokenBucket(
      { perSecond: perSecond * HONEST_SHARE, burst: Math.max(1, burst * HONEST_SHARE) },
      now
    )
    this.#deadline = now + limits.handshakeTimeoutMs
    this.#heardAt = now
  }

  /** True when this side says which of several links is used: the mediator with the lower id does. */
  get decides(): boolean {
    return this.#decides
  }

  /** True when the dialer wants the proof and nothing else. */
  get isProbe(): boolean {
    return this.#probe
  }

  get isProved(): boolean {
    return this.#state === 'proved' || this.#state === 'used'
  }

  get isUsed(): boolean {
    return this.#state === 'used'
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** What to send first, once the connection is open and the handshake of the mediation protocol is sent. */
  start(): LinkEffect[] {
    return [send(this.#handshake.challenge)]
  }

  /** Any text frame. */
  receive(text: string, now: Milliseconds): LinkEffect[] {
    if (this.#state === 'closed') return []
    this.#heardAt = now
    if (!this.#incoming.take(now)) return this.close(CLOSE_CODE.rateLimited, 'too many messages')
    const decoding = decodeReplicationMessage(text, this.#limits)
    if (decoding.ok) return this.#handle(decoding.message, now)
    return decoding.unknownType && this.isProved ? [] : this.#violation(decoding.reason)
  }

  /** Chooses this link. Only for the side that decides. */
  use(now: Milliseconds): LinkEffect[] {
    this.#becomeUsed(now)
    return [send({ type: 'use' })]
  }

  /** Sends now, or as soon as the meter allows, in order. False, and nothing: too much is waiting already. */
  post(message: LinkMessage, now: Milliseconds): LinkEffect[] | false {
    if (this.#state !== 'used') return false
    if (message.type === 'route' && !this.#unconfirmed.hasRoom) return false
    const text = encodeReplicationMessage(message)
    const atOnce = this.#queue.length === 0 && this.#outgoing.take(now)
    const hasRoom =
      this.#queue.length < MAX_QUEUED && this.#queueBytes + text.length <= this.#limits.queueBytes
    if (!atOnce && !hasRoom) return false
    if (message.type === 'route') this.#unconfirmed.sent(message)
    if (atOnce) return [{ type: 'send', text }]
    this.#queue.push(text)
    this.#queueBytes += text.length
    return []
  }

  /** Signals that were posted and of which nothing has been heard. Call when the link is closed. */
  takeUnconfirmed(): readonly SignalPair[] {
    return this.#unconfirmed.take()
  }

  /** What time brings: deadlines, pings, messages that waited. Call several times a second. */
  wake(now: Milliseconds): LinkEffect[] {
    if (this.#state === 'closed') return []
    if (now >= this.#deadline) {
      return this.#state === 'proving'
        ? this.close(CLOSE_CODE.unauthorized, 'the mediator id was not proved in time')
        : this.close(CLOSE_CODE.normal, 'not needed')
    }
    if (this.#state !== 'used') return []
    if (now - this.#heardAt >= this.#limits.deadAfterMs)
      return this.close(CLOSE_CODE.normal, 'no sign of life')
    const effects: LinkEffect[] = []
    while (this.#queue.length > 0 && this.#outgoing.take(now)) {
      const text = this.#queue.shift()!
      this.#queueBytes -= text.length
      effects.push({ type: 'send', text })
    }
    if (this.#handledTold !== this.#handled) {
      this.#handledTold = this.#handled
      effects.push(send({ type: 'routed', count: this.#handled }))
    }
    if (now >= this.#pingAt) {
      this.#pingAt = now + this.#limits.pingIntervalMs
      effects.push(send({ type: 'ping' }))
    }
    return effects
  }

  /** Ends it from this side. */
  close(code: number, reason: string): LinkEffect[] {
    if (this.#state === 'closed') return []
    this.closed()
    return [{ type: 'close', code, reason }]
  }

  /** The connection is gone. */
  closed(): void {
    this.#state = 'closed'
    this.#queue.length = 0
    this.#queueBytes = 0
  }

  #handle(message: ReplicationMessage, now: Milliseconds): LinkEffect[] {
    switch (message.type) {
      case 'challenge':
      case 'proof':
        return this.#prove(message, now)
      case 'use':
        return this.#chosen(now)
      case 'ping':
        return this.#state === 'used' ? [send({ type: 'pong' })] : this.#violation('a ping too early')
      case 'pong':
        return []
      case 'routed':
        return this.#unconfirmed.confirm(message.count) ? [] : this.#violation('more signals than were sent')
      default:
        return this.#state === 'used' ? this.#take(message) : this.#violation('a message too early')
    }
  }

  #take(message: LinkMessage): LinkEffect[] {
    if (message.type === 'route') this.#handled = (this.#handled + 1) % MODULUS
    if (message.type === 'unreachable') this.#unconfirmed.refused(message)
    return [{ type: 'message', message }]
  }

  #prove(message: Parameters<Handshake['receive']>[0], now: Milliseconds): LinkEffect[] {
    if (this.#state !== 'proving') return this.#violation('already proved')
    const step = this.#handshake.receive(message)
    if (step.type === 'refused') return this.close(CLOSE_CODE.unauthorized, step.reason)
    const effects = step.send === undefined ? [] : [send(step.send)]
    if (step.type === 'go-on') return effects
    this.#state = 'proved'
    this.#probe = step.probe
    this.provedAt = now
    this.#deadline = now + UNUSED_MS
    return [...effects, { type: 'proved' }]
  }

  #chosen(now: Milliseconds): LinkEffect[] {
    if (this.#state !== 'proved' || this.#decides) return this.#violation('not yours to choose')
    this.#becomeUsed(now)
    return [{ type: 'chosen' }]
  }

  #becomeUsed(now: Milliseconds): void {
    this.#state = 'used'
    this.#deadline = Infinity
    this.#pingAt = now + this.#limits.pingIntervalMs
  }

  #violation(reason: string): LinkEffect[] {
    if (this.#state === 'proving') return this.close(CLOSE_CODE.unauthorized, reason)
    this.#violations++
    return this.#violations < this.#limits.maxViolations ? [] : this.close(CLOSE_CODE.violations, reason)
  }
}

function send(message: ReplicationMessage): LinkEffect {
  return { type: 'send', text: encodeReplicationMessage(message) }
}
