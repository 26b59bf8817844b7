import { randomBytes } from 'node:crypto'
import { CLOSE_CODE, encodeReplicationMessage, type MediatorContact, type MediatorId } from '@mayfly/common'
import type { Connection, ReplicationSession } from '../../ports/network.js'
import { TokenBucket } from '../../core/token-bucket.js'
import { LinkChoice } from './choice.js'
import { DialBackoff } from './dial-backoff.js'
import type { HandshakeOptions } from './handshake.js'
import { Link, type LinkEffect, type LinkMessage } from './link.js'
import type { LinksOptions } from './links-options.js'
import { Outbox, type Waiting } from './outbox.js'

interface Attached {
  readonly link: Link
  readonly connection: Connection
  /** Set while this is our dial and nothing has come of it yet. */
  dialled: MediatorContact | undefined
}

const TICK_MS = 100
const STALLED_MS = 500
/** Inbound connections that have not proved anything. */
const MAX_UNPROVED = 128
const MAX_DIALS = 64
/** Strangers choose whom we dial: not more often than this, whatever they name. */
const DIAL_RATE = { perSecond: 20, burst: 100 }
const TRY_AGAIN_LATER = 1013
/** A message waits so long for a link, when the dial itself gives no answer. */
const WAIT_MS = 2_500

/** All connections to other mediators: dialled and accepted, proved, one of each mediator used. */
export class Links {
  readonly #options: LinksOptions
  readonly #choice: LinkChoice
  readonly #attached = new Map<Link, Attached>()
  readonly #outbox = new Outbox()
  readonly #backoff = new DialBackoff()
  readonly #dialMeter = new TokenBucket(DIAL_RATE, performance.now())
  readonly #deadlines = new Map<MediatorId, number>()
  readonly #ticker: NodeJS.Timeout
  #ownUrl: string | undefined
  #tickedAt = performance.now()
  #closed = false

  constructor(options: LinksOptions) {
    this.#options = options
    this.#choice = new LinkChoice(options.limits.maxLinks)
    this.#ticker = setInterval(() => this.#tick(), TICK_MS)
  }

  get size(): number {
    return this.#choice.size
  }

  /** Where this mediator is reached; before it is known nobody can prove anything to it. */
  set ownUrl(url: string) {
    this.#ownUrl = url
  }

  isLinked(mediatorId: MediatorId): boolean {
    return this.#choice.to(mediatorId) !== undefined
  }

  /** An inbound connection whose handshake claimed to be `claimed`. */
  accept(connection: Connection, claimed: MediatorId): ReplicationSession {
    const unproved = [...this.#attached.keys()].filter(
      link => link.role === 'listener' && !link.isUsed
    ).length
    const url = this.#ownUrl
    if (this.#closed || url === undefined || unproved >= MAX_UNPROVED) {
      connection.close(TRY_AGAIN_LATER, 'try again later')
      return { receive: () => undefined, closed: () => undefined }
    }
    const link = this.#newLink({ role: 'listener', other: claimed, url })
    const attached: Attached = { link, connection, dialled: undefined }
    this.#attached.set(link, attached)
    this.#perform(attached, link.start())
    return {
      receive: text => this.#perform(attached, link.receive(text, performance.now())),
      closed: () => this.#detach(attached)
    }
  }

  /** Sends to a mediator with a link; false where there is none or too much is waiting. */
  send(to: MediatorId, message: LinkMessage): boolean {
    const link = this.#choice.to(to)
    const attached = link && this.#attached.get(link)
    if (link === undefined || attached === undefined) return false
    const effects = link.post(message, performance.now())
    if (effects === false) return false
    this.#perform(attached, effects)
    return true
  }

  /** Sends over the link to a mediator, or over the one that a dial gives; in order, `failed` if neither. */
  sendOrDial(to: MediatorContact, waiting: Waiting): void {
    if (!this.#outbox.has(to.mediatorId) && this.isLinked(to.mediatorId)) {
      if (!this.send(to.mediatorId, waiting.message)) waiting.failed()
      return
    }
    const isHopeless =
      this.#backoff.isTooEarly(to.mediatorId, performance.now()) && !this.#isComing(to.mediatorId)
    if (isHopeless || !this.#outbox.add(to.mediatorId, waiting)) {
      waiting.failed()
      return
    }
    if (!this.#deadlines.has(to.mediatorId)) this.#deadlines.set(to.mediatorId, performance.now() + WAIT_MS)
    this.connect(to, false)
  }

  /** Dials, unless a dial to that mediator is under way, or a link is there and no probe is asked for. */
  connect(to: MediatorContact, probe: boolean): void {
    if (this.#closed || to.mediatorId === this.#options.identity.mediatorId) return
    if (!probe && this.isLinked(to.mediatorId)) return
    const dials = [...this.#attached.values()].filter(({ dialled }) => dialled !== undefined)
    if (dials.some(({ link }) => link.other === to.mediatorId && link.isProbe === probe)) return
    if (dials.length >= MAX_DIALS || !this.#dialMeter.take(performance.now())) {
      queueMicrotask(() => this.#missed(to))
      return
    }
    this.#dial(to, probe)
  }

  /** Tells the other side of every link that this mediator goes away. */
  close(): void {
    this.#closed = true
    clearInterval(this.#ticker)
    for (const attached of this.#attached.values()) {
      this.#perform(attached, attached.link.close(CLOSE_CODE.goingAway, 'this mediator goes away'))
    }
    for (const mediatorId of [...this.#deadlines.keys()]) this.#giveUp(mediatorId)
  }

  #dial(to: MediatorContact, probe: boolean): void {
    const { identity, dial, token, limits } = this.#options
    const timed = { ...limits, handshakeTimeoutMs: Math.min(limits.dialTimeoutMs, limits.handshakeTimeoutMs) }
    const link = this.#newLink({ role: 'dialer', other: to.mediatorId, url: to.url, probe }, timed)
    const connection = dial(to.url, {
      opened: () => {
        const { mediatorId } = identity
        connection.send(
          encodeReplicationMessage({
            type: 'handshake',
            connectionType: 'replication',
            mediatorId,
            ...(token === undefined ? {} : { token })
          })
        )
        this.#perform(attached, link.start())
      },
      received: text => this.#perform(attached, link.receive(text, performance.now())),
      closed: reason => {
        this.#options.log.debug({ mediatorId: to.mediatorId, url: to.url, reason }, 'replication link closed')
        this.#detach(attached)
      }
    })
    const attached: Attached = { link, connection, dialled: to }
    this.#attached.set(link, attached)
  }

  #newLink(options: Omit<HandshakeOptions, 'identity' | 'nonce'>, limits = this.#options.limits): Link {
    const { identity } = this.#options
    const nonce = randomBytes(32).toString('hex')
    return new Link({ ...options, identity, nonce }, limits, performance.now())
  }

  #perform(attached: Attached, effects: readonly LinkEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'send':
          attached.connection.send(effect.text)
          break
        case 'close':
          attached.connection.close(effect.code, effect.reason)
          this.#detach(attached)
          break
        case 'proved':
          this.#proved(attached)
          break
        case 'chosen':
          this.#use(attached)
          break
        case 'message':
          this.#said(attached.link, effect.message)
      }
    }
  }

  #said(link: Link, message: LinkMessage): void {
    if (message.type !== 'mediators') this.#choice.useful(link, performance.now())
    this.#options.listener.said(link, message)
  }

  #proved(attached: Attached): void {
    const { link, dialled } = attached
    attached.dialled = undefined
    this.#backoff.succeeded(link.other)
    if (dialled !== undefined) this.#options.listener.reached(dialled)
    if (link.role === 'dialer' && link.isProbe) {
      this.#perform(attached, link.close(CLOSE_CODE.normal, 'that was all'))
      return
    }
    const verdict = this.#choice.proved(link, performance.now())
    if (verdict.type === 'close') this.#perform(attached, link.close(CLOSE_CODE.normal, verdict.reason))
    if (verdict.type !== 'use') return
    if (!this.#makeRoom(link)) {
      this.#perform(attached, link.close(TRY_AGAIN_LATER, 'too many links'))
      return
    }
    this.#perform(attached, link.use(performance.now()))
    this.#use(attached)
  }

  #makeRoom(link: Link): boolean {
    if (this.isLinked(link.other)) return true
    const { room, close } = this.#choice.roomFor(performance.now())
    if (close !== undefined) this.#end(close, 'room for another link')
    return room
  }

  #use(attached: Attached): void {
    const { link } = attached
    if (!this.#makeRoom(link)) {
      this.#perform(attached, link.close(TRY_AGAIN_LATER, 'too many links'))
      return
    }
    const before = this.#choice.use(link, performance.now())
    if (before !== undefined) this.#end(before, 'another link is used')
    this.#options.listener.linked(link)
    this.#deadlines.delete(link.other)
    for (const waiting of this.#outbox.take(link.other)) {
      if (!this.send(link.other, waiting.message)) waiting.failed()
    }
  }

  #end(link: Link, reason: string): void {
    const attached = this.#attached.get(link)
    if (attached !== undefined) this.#perform(attached, link.close(CLOSE_CODE.normal, reason))
  }

  #detach(attached: Attached): void {
    const { link, dialled } = attached
    if (!this.#attached.delete(link)) return
    link.closed()
    for (const pair of link.takeUnconfirmed()) this.#options.listener.lost(link.other, pair)
    if (this.#choice.gone(link)) this.#options.listener.unlinked(link.other)
    if (dialled !== undefined) this.#missed(dialled)
    else if (!this.#isComing(link.other)) this.#giveUp(link.other)
  }

  /** A dial came to nothing. What waits goes on waiting only for a connection that is under way. */
  #missed(contact: MediatorContact): void {
    this.#backoff.failed(contact.mediatorId, performance.now())
    this.#options.listener.unreached(contact)
    if (!this.#isComing(contact.mediatorId)) this.#giveUp(contact.mediatorId)
  }

  #isComing(mediatorId: MediatorId): boolean {
    return [...this.#attached.keys()].some(link => link.other === mediatorId && !link.isProbe)
  }

  #giveUp(mediatorId: MediatorId): void {
    this.#deadlines.delete(mediatorId)
    for (const waiting of this.#outbox.take(mediatorId)) waiting.failed()
  }

  #tick(): void {
    const now = performance.now()
    const stalled = now - this.#tickedAt > STALLED_MS
    this.#tickedAt = now
    // It was this process that stood still: what has come meanwhile is read before anyone is called late.
    if (stalled) return
    for (const attached of this.#attached.values()) {
      this.#perform(attached, attached.link.wake(now))
      if (attached.connection.bufferedAmount > this.#options.limits.queueBytes) {
        this.#end(attached.link, 'does not read')
      }
    }
    for (const [mediatorId, deadline] of this.#deadlines) if (now >= deadline) this.#giveUp(mediatorId)
  }
}
