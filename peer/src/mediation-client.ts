import {
  CLOSE_CODE,
  type Established,
  type FullHash,
  type IceServer,
  type JsonValue,
  type MediationError,
  type MediatorMessage,
  type PeerAddress,
  type PeerId,
  type Peers,
  type Signal
} from '@mayfly/common'
import { systemClock } from './adapters/system-clock.js'
import type { MediatorConnection } from './api.js'
import { Announcements } from './core/announcements.js'
import { EventWindow } from './core/event-window.js'
import { FailOver, type NextTry } from './core/fail-over.js'
import { Questions } from './questions.js'
import { MediatorSession, type SessionEnd } from './mediator-session.js'
import type { Clock } from './ports/clock.js'
import type { MediatorTable } from './ports/mediator-table.js'
import type { OpenSocket } from './ports/socket.js'

/** Questions open at a time: as many as there are hashes that one connection may announce. */
const MAX_QUESTIONS = 1_024
/** Below the 40 signals that a mediator passes on between two peers in that time. */
const SIGNALS_PER_PEER = { limit: 38, windowMs: 60_000, maxKeys: 512 }
/** What the opening of a connection is not to be held up by waits for that no longer: a near mediator is there by then. */
const OPENING_MS = 30
/** Announcements of so many milliseconds travel in one message. */
const ANNOUNCE_BATCH_MS = 20

export interface MediationClientOptions {
  /** Kept for as long as the client lives, across reconnections. */
  readonly peerId: PeerId
  /** WebSocket URLs of mediators, tried in this order at first. */
  readonly urls: readonly string[]
  readonly openSocket: OpenSocket
  readonly token?: string
  /** Default: the system's. */
  readonly clock?: Clock
  /** A number from 0 to below 1. Default: `Math.random`. */
  readonly random?: () => number
  /** Default: a k-bucket. */
  readonly table: MediatorTable
}

export interface MediationClientEvents {
  /** At every change. `closed` without a call of `close`: every mediator refused, `reason` says how. */
  onstate(connection: MediatorConnection): void
  /** Any number per question, the last with `final: true`. */
  onpeers(answer: Peers): void
  onsignal(from: PeerAddress, data: JsonValue, fullHash: FullHash | undefined): void
  /**
   * What the mediator refused. When it names a peer in `peerId`, pass that to `Channels.unreachable`; a
   * question it names in `fullHash` gets its final answer as well.
   */
  onerror(error: MediationError): void
  /** These were announced to the mediator: for the first time, or because it is another one. */
  onannounced(fullHashes: readonly FullHash[]): void
}

/** The session with one mediator out of several: keeps it, replaces it, and says again there what must hold. */
export class MediationClient {
  readonly #options: MediationClientOptions
  readonly #events: MediationClientEvents
  readonly #clock: Clock
  readonly #failOver: FailOver
  readonly #announcements = new Announcements()
  readonly #questions: Questions
  #announced: FullHash[] = []
  readonly #afterOpening = new Set<() => void>()
  readonly #signals = new EventWindow(SIGNALS_PER_PEER)
  #connection: MediatorConnection = { state: 'connecting', url: undefined, mediatorId: undefined }
  #iceServers: readonly IceServer[] = []
  #session: MediatorSession | undefined
  #retry: { readonly next: NextTry; cancel(): void } | undefined
  #cancelAnnounce: (() => void) | undefined
  #closed = false

  constructor(options: MediationClientOptions, events: MediationClientEvents) {
    this.#options = options
    this.#events = events
    this.#clock = options.clock ?? systemClock
    this.#questions = new Questions(this.#clock, fullHash => this.#answerEmpty(fullHash))
    this.#failOver = new FailOver(options.urls, options.table)
  }

  get connection(): MediatorConnection {
    return this.#connection
  }

  /** What the present or last mediator offers for ICE. */
  get iceServers(): readonly IceServer[] {
    return this.#iceServers
  }

  /** Starts connecting. Nothing is opened before. */
  start(): void {
    if (this.#session === undefined && this.#retry === undefined && !this.#closed) this.#tryNext()
  }

  /**
   * Runs once a mediator has been told what there is to tell, at once where that is so, and after `OPENING_MS` in
   * any case unless the client closes. For what would keep this thread busy while the connection opens.
   */
  afterOpening(run: () => void): void {
    if (this.#session?.isOpen === true) return run()
    const begin = (): void => {
      cancel()
      this.#afterOpening.delete(begin)
      if (!this.#closed) run()
    }
    const cancel = this.#clock.after(OPENING_MS, begin)
    this.#afterOpening.add(begin)
  }

  /**
   * Asks for peers. While a question about `fullHash` is open this does nothing. A question waits for a
   * mediator, moves with the session to another one, and gets exactly one final answer unless `forget` or `close`.
   */
  getPeers(fullHash: FullHash, connected: readonly PeerAddress[]): void {
    if (this.#closed || !this.#questions.add(fullHash, connected)) return
    if (this.#questions.size > MAX_QUESTIONS) queueMicrotask(() => this.#answerEmpty(fullHash))
    else this.#ask(fullHash)
  }

  /** Nobody waits for answers about `fullHash` any more. */
  forget(fullHash: FullHash): void {
    this.#questions.end(fullHash)
  }

  /** False: not sent, because there is no mediator now or the budget for this peer is used up. */
  signal(to: PeerAddress, data: JsonValue, fullHash?: FullHash): boolean {
    if (this.#session?.isEstablished !== true) return false
    if (!this.#signals.take(`${to.peerId} ${to.mediatorId}`, this.#clock.now())) return false
    const { peerId, mediatorId } = to
    const message: Signal = { type: 'signal', peerId, mediatorId, data, ...(fullHash && { fullHash }) }
    return this.#session.send(() => message, 'urgent')
  }

  /** Adds to what is announced here and at every later mediator. False: over 1,024 in all, and none was added. */
  announce(fullHashes: readonly FullHash[]): boolean {
    if (!this.#announcements.add(fullHashes)) return false
    this.#announceSoon()
    return true
  }

  /** Takes back. */
  finish(fullHashes: readonly FullHash[]): void {
    this.#announcements.remove(fullHashes)
    this.#announceSoon()
  }

  /** The network is back or the page visible again: tests the connection, or tries at once instead of waiting. */
  wake(): void {
    this.#session?.probe()
    const retry = this.#retry
    if (retry === undefined) return
    retry.cancel()
    this.#retry = undefined
    this.#connect(retry.next.url)
  }

  /** Leaves the mediator. Nothing is called afterwards but `onstate` with `closed`. */
  close(): void {
    if (this.#closed) return
    this.#stop()
    this.#setState({ state: 'closed', url: undefined, mediatorId: undefined })
  }

  #stop(): void {
    this.#closed = true
    this.#questions.endAll()
    this.#opened()
    this.#retry?.cancel()
    this.#cancelAnnounce?.()
    this.#session?.close()
    this.#session = undefined
    this.#retry = undefined
  }

  #tryNext(): void {
    const next = this.#failOver.next((this.#options.random ?? Math.random)())
    if (next === undefined) {
      const reason = this.#connection.reason ?? 'no mediator is known'
      this.#stop()
      this.#setState({ state: 'closed', url: undefined, mediatorId: undefined, reason })
    } else if (next.waitMs === 0) {
      this.#connect(next.url)
    } else {
      const cancel = this.#clock.after(next.waitMs, () => {
        this.#retry = undefined
        this.#connect(next.url)
      })
      this.#retry = { next, cancel }
    }
  }

  #connect(url: string): void {
    const { reason } = this.#connection
    this.#setState({
      state: 'connecting',
      url,
      mediatorId: undefined,
      ...(reason === undefined ? {} : { reason })
    })
    const { peerId, token, openSocket } = this.#options
    this.#announcements.forgetTold()
    this.#announced = []
    this.#session = new MediatorSession(
      { url, peerId, token, openSocket, clock: this.#clock },
      {
        onopen: () => this.#resume(),
        onestablished: message => this.#established(url, message),
        onmessage: message => this.#receive(message),
        onunknown: error => {
          // A code from a later version is still the end of the question that it names.
          if (error.fullHash !== undefined) this.#answerEmpty(error.fullHash)
        },
        onend: end => this.#ended(url, end)
      }
    )
  }

  /** Says again what must hold, right behind the handshake: that saves a round trip. */
  #resume(): void {
    for (const fullHash of this.#questions.fullHashes()) this.#ask(fullHash)
    this.#announceNext()
    this.#opened()
  }

  #opened(): void {
    for (const begin of [...this.#afterOpening]) begin()
  }

  #established(url: string, message: Established): void {
    this.#iceServers = message.iceServers ?? []
    this.#failOver.established(message.mediators ?? [])
    this.#setState({ state: 'established', url, mediatorId: message.mediatorId })
    this.#tellAnnounced()
  }

  #ended(url: string, end: SessionEnd): void {
    this.#session = undefined
    this.#questions.suspend()
    const isUnauthorized = end.code === CLOSE_CODE.unauthorized || end.error?.code === 'unauthorized'
    if (isUnauthorized) this.#failOver.refused(url)
    else if (end.lastedMs !== undefined) this.#failOver.lost(url, end.lastedMs)
    else if (end.code === CLOSE_CODE.peerIdInUse) this.#failOver.idInUse(url)
    else this.#failOver.failed(url)
    this.#setState({ state: 'lost', url, mediatorId: undefined, reason: end.reason })
    // The owner may have closed the client in `onstate`.
    if (!this.#closed) this.#tryNext()
  }

  #receive(message: Exclude<MediatorMessage, Established>): void {
    if (message.type === 'signal') {
      const { peerId, mediatorId, data, fullHash } = message
      this.#events.onsignal({ peerId, mediatorId }, data, fullHash)
    } else if (message.type === 'peers') {
      if (!this.#questions.has(message.fullHash)) return
      if (message.final) this.#questions.end(message.fullHash)
      this.#events.onpeers(message)
    } else if (message.type === 'mediators') {
      this.#failOver.learned(message.mediators)
    } else {
      this.#events.onerror(message)
      if (message.fullHash !== undefined) this.#answerEmpty(message.fullHash)
    }
  }

  #ask(fullHash: FullHash): void {
    this.#session?.send(() => this.#questions.ask(fullHash), 'normal', true)
  }

  /** Ends the question about `fullHash`, if there is one. */
  #answerEmpty(fullHash: FullHash): void {
    if (this.#closed || !this.#questions.end(fullHash)) return
    this.#events.onpeers({ type: 'peers', fullHash, peers: [], final: true })
  }

  #announceSoon(): void {
    if (this.#closed || this.#cancelAnnounce !== undefined) return
    this.#cancelAnnounce = this.#clock.after(ANNOUNCE_BATCH_MS, () => {
      this.#cancelAnnounce = undefined
      this.#announceNext()
    })
  }

  #announceNext(): void {
    this.#session?.send(() => {
      const change = this.#announcements.next()
      if (change === undefined) return undefined
      this.#announceNext()
      if (change.type === 'announce') this.#announced.push(...change.fullHashes)
      // After it is sent.
      queueMicrotask(() => this.#tellAnnounced())
      return change
    }, 'normal')
  }

  /** What was sent behind the handshake counts once the mediator has taken us. */
  #tellAnnounced(): void {
    if (this.#session?.isEstablished !== true || this.#announced.length === 0) return
    this.#events.onannounced(this.#announced.splice(0))
  }

  #setState(connection: MediatorConnection): void {
    this.#connection = connection
    this.#events.onstate(connection)
  }
}
