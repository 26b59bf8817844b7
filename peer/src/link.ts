import type { FullHash, IceServer, PeerAddress } from '@mayfly/common'
import { MAX_CANDIDATES, type EarlyOpen, type PeerSignal, type SignalData } from './core/signal-data.js'
import type { Channel } from './ports/channel.js'
import type { Clock } from './ports/clock.js'
import type { Connection, Connector, Lane } from './ports/connector.js'

/** Messages that wait for an owner who has not set `onmessage` yet; the connection is closed past that. */
const MAX_EARLY_MESSAGES = 64
/**
 * Candidates that travel at once, each in a signal of its own: the first ones, of the own network, decide how soon the
 * channel opens. Those that servers have to be asked for come later, many at a time.
 */
const EARLY_CANDIDATES = 2

/** Who made a link: told once each of `opened` and `closed`, and between them of `suspected`. */
export interface LinkOwner {
  /** False: it cannot be sent now. */
  send(link: Link, data: SignalData): boolean
  opened(link: Link): void
  /** `suspect` has changed. */
  suspected(link: Link): void
  /** `isLost`: it was open, and nobody on this side closed it. */
  closed(link: Link, reason: string, isLost: boolean): void
}

export interface LinkOptions {
  readonly remote: PeerAddress
  /** Name of this attempt, which its signals carry. */
  readonly connectionId: string
  /** We offered. */
  readonly initiator: boolean
  readonly connector: Connector
  readonly iceServers: readonly IceServer[]
  readonly clock: Clock
  readonly batchMs: number
  readonly giveUpMs: number
  /** What the channel is first wanted for. */
  readonly fullHash?: FullHash | undefined
  /** What the other side asks for with its offer is answered as if it came on the channel. */
  readonly takesEarly?: boolean | undefined
  /** What the offer asks for. */
  readonly open?: EarlyOpen | undefined
}

/**
 * One connection to one peer, from the first signal to the end; the channel that it becomes.
 *
 * 1. Only signals of this attempt reach the connection: one description of the other role, and at most
 *    `MAX_CANDIDATES` candidates.
 * 2. `opened` comes at most once, `closed` exactly once, and nothing after it.
 * 3. Messages that come before `onmessage` is set wait, in order, and are delivered right after.
 */
export class Link implements Channel {
  readonly connectionId: string
  readonly initiator: boolean
  readonly fullHash: FullHash | undefined
  remote: PeerAddress
  early: Channel['early']
  /** Never closed to make room while true. */
  busy = false
  /** When it was last wanted, by the owner's clock. */
  usedAt: number
  /** When a message last came or went. */
  activeAt: number
  ondrain: (() => void) | undefined
  onclose: ((reason: string) => void) | undefined
  readonly #options: LinkOptions
  readonly #owner: LinkOwner
  readonly #connection: Connection
  #state: 'connecting' | 'open' | 'closed' = 'connecting'
  #onmessage: ((message: Uint8Array<ArrayBuffer>) => void) | undefined
  #early: Uint8Array<ArrayBuffer>[] = []
  #outgoing: PeerSignal[] = []
  #candidatesSent = 0
  #candidatesTaken = 0
  #described = false
  #suspect = false
  #batches = 0
  #cancelBatch: (() => void) | undefined
  #cancelGiveUp: () => void

  constructor(options: LinkOptions, owner: LinkOwner) {
    this.#options = options
    this.#owner = owner
    this.remote = options.remote
    this.connectionId = options.connectionId
    this.initiator = options.initiator
    this.fullHash = options.fullHash
    this.usedAt = options.clock.now()
    this.activeAt = this.usedAt
    this.#connection = options.connector.connect(options, {
      onsignal: signal => this.#queue(signal),
      onopen: () => this.#opened(),
      onmessage: message => this.#deliver(message),
      ondrain: () => this.ondrain?.(),
      onsuspect: isSuspect => this.doubt(isSuspect),
      onclose: reason => this.#end(reason, this.#state === 'open')
    })
    // Who answers waits for both of the other side's waits: for our answer, and for the channel.
    const wait = options.initiator ? options.giveUpMs : 2 * options.giveUpMs
    this.#cancelGiveUp = options.clock.after(wait, () => this.#giveUp())
  }

  get state(): 'connecting' | 'open' | 'closed' {
    return this.#state
  }

  get closed(): boolean {
    return this.#state === 'closed'
  }

  /** The other side's description has come: it can hear us. */
  get answered(): boolean {
    return this.#described
  }

  /** It may be that nothing gets through any more. */
  get suspect(): boolean {
    return this.#suspect
  }

  /** What the connection says of that, or what is known of its network. */
  doubt(isSuspect: boolean): void {
    if (this.#state !== 'open' || this.#suspect === isSuspect) return
    this.#suspect = isSuspect
    this.#owner.suspected(this)
  }

  get bufferedAmount(): number {
    return this.#connection.bufferedAmount
  }

  get hasControl(): boolean {
    return this.#connection.hasControl
  }

  get controlBufferedAmount(): number {
    return this.#connection.controlBufferedAmount
  }

  get bufferedAmountLowThreshold(): number {
    return this.#connection.bufferedAmountLowThreshold
  }

  set bufferedAmountLowThreshold(bytes: number) {
    this.#connection.bufferedAmountLowThreshold = bytes
  }

  get onmessage(): ((message: Uint8Array<ArrayBuffer>) => void) | undefined {
    return this.#onmessage
  }

  set onmessage(handler: ((message: Uint8Array<ArrayBuffer>) => void) | undefined) {
    this.#onmessage = handler
    if (this.#early.length > 0) queueMicrotask(() => this.#deliverEarly())
  }

  send(message: Uint8Array<ArrayBuffer>, lane?: Lane): void {
    if (this.#state !== 'open') return
    this.activeAt = this.#options.clock.now()
    this.#connection.send(message, lane)
  }

  close(reason: string): void {
    if (this.#state === 'connecting') this.#owner.send(this, this.#envelope([], true))
    this.#end(reason)
  }

  /** Closes without a word to the other side, which has replaced or never taken this attempt. */
  abandon(reason: string): void {
    this.#end(reason)
  }

  /** Takes what the other side signals for this attempt. */
  receive(data: SignalData): void {
    this.#agree(data)
    for (const signal of data.signals) {
      if (this.#state !== 'connecting') return
      this.#take(signal)
    }
    if (data.closed && this.#state === 'connecting') this.#end('the peer refused the connection')
  }

  /** The offer may ask for something, and the answer says whether that is heard. */
  #agree({ open, opened }: SignalData): void {
    if (this.#described) return
    const asked = this.initiator ? this.#options.open : open
    const isHeard = this.initiator ? opened : this.#options.takesEarly
    if (asked !== undefined && isHeard === true)
      this.early = { by: this.initiator ? 'us' : 'them', open: asked }
  }

  #take(signal: PeerSignal): void {
    if (signal.type === 'offer' || signal.type === 'answer') {
      // A second description would start a renegotiation, which nothing here needs.
      if (this.#described || (signal.type === 'offer') === this.initiator) return
      this.#described = true
      if (this.initiator) {
        this.#cancelGiveUp()
        this.#cancelGiveUp = this.#options.clock.after(this.#options.giveUpMs, () => this.#giveUp())
      }
    } else if (signal.type === 'candidate') {
      this.#candidatesTaken += 1
      if (this.#candidatesTaken > MAX_CANDIDATES) return
    }
    this.#connection.signal(signal)
  }

  #queue(signal: PeerSignal): void {
    if (this.#state !== 'connecting') return
    if (signal.type === 'candidate') {
      this.#candidatesSent += 1
      if (this.#candidatesSent > MAX_CANDIDATES) return
    }
    // Alone, their end tells the other side nothing that it needs.
    if (signal.type === 'end-of-candidates' && this.#outgoing.length === 0) return
    if (signal.type === 'offer' || signal.type === 'answer') {
      // In front of candidates that came before it: alone they belong to no known attempt, and waited for it.
      this.#outgoing.unshift(signal)
      this.#flush()
      return
    }
    this.#outgoing.push(signal)
    if (this.#batches === 0) return
    // Hidden pages are called a second late: when nothing more is coming, nothing is waited for.
    if (signal.type === 'end-of-candidates' || this.#candidatesSent <= EARLY_CANDIDATES) this.#flush()
    else this.#cancelBatch ??= this.#options.clock.after(this.#options.batchMs, () => this.#flush())
  }

  #flush(): void {
    this.#cancelBatch?.()
    this.#cancelBatch = undefined
    const signals = this.#outgoing
    this.#outgoing = []
    if (this.#state !== 'connecting' || signals.length === 0) return
    this.#batches += 1
    const early = {
      open: signals[0]?.type === 'offer' ? this.#options.open : undefined,
      opened: signals[0]?.type === 'answer' && this.early !== undefined
    }
    const sent = this.#owner.send(this, { ...this.#envelope(signals, false), ...early })
    const needed = signals.some(signal => signal.type === 'offer' || signal.type === 'answer')
    if (!sent && needed) this.#end('no mediator could pass the signals on')
  }

  #envelope(signals: readonly PeerSignal[], closed: boolean): SignalData {
    return { connection: this.connectionId, signals, closed }
  }

  #opened(): void {
    if (this.#state !== 'connecting') return
    this.#state = 'open'
    this.#cancelTimers()
    this.#owner.opened(this)
  }

  #deliver(message: Uint8Array<ArrayBuffer>): void {
    if (this.#state === 'closed') return
    this.activeAt = this.#options.clock.now()
    if (this.#onmessage !== undefined && this.#early.length === 0) {
      this.#onmessage(message)
      return
    }
    this.#early.push(message)
    if (this.#early.length > MAX_EARLY_MESSAGES) this.#end('too many messages before anyone listened')
  }

  #deliverEarly(): void {
    while (this.#early.length > 0 && this.#onmessage !== undefined && this.#state !== 'closed') {
      const message = this.#early.shift()
      if (message !== undefined) this.#onmessage(message)
    }
  }

  #giveUp(): void {
    const waited = this.#described ? 'the peer could not be connected to' : 'the peer did not answer'
    this.close(`${waited} in time`)
  }

  #end(reason: string, isLost = false): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#cancelTimers()
    this.#early = []
    this.#outgoing = []
    this.#connection.close(reason)
    this.#owner.closed(this, reason, isLost)
    this.onclose?.(reason)
  }

  #cancelTimers(): void {
    this.#cancelGiveUp()
    this.#cancelBatch?.()
    this.#cancelBatch = undefined
  }
}
