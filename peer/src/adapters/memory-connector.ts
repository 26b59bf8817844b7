import type { PeerSignal } from '../core/signal-data.js'
import type { Connection, ConnectionEvents, ConnectionOptions, Connector, Lane } from '../ports/connector.js'

/**
 * Where connections made in memory find each other: the twin of WebRTC for tests and simulations.
 *
 * Offers and answers are session descriptions that the real decoder takes; everything is delivered in
 * later microtasks, in order. While `reachable` is false, connections are negotiated and never open; those made
 * while `hasControl` is false have one lane.
 */
export class MemoryNetwork {
  reachable = true
  hasControl = true
  readonly #offered = new Map<string, MemoryConnection>()
  readonly #cut = new Set<MemoryConnection>()
  #made = 0

  /** A connector of this network; any number of peers may share it. */
  connector(): Connector {
    return {
      unavailable: undefined,
      connect: (options, events) => new MemoryConnection(this, options, events)
    }
  }

  /** Connections that were ever made: two for a channel. */
  get made(): number {
    return this.#made
  }

  /** What is open now carries nothing any more; `tells`: which of its ends find out. Connections made later are not cut. */
  cut(tells: (initiator: boolean) => boolean = () => true): void {
    for (const connection of this.#offered.values()) {
      if (this.#cut.has(connection) || !connection.isOpen) continue
      this.#cut.add(connection)
      if (tells(connection.initiator)) connection.suspected(true)
    }
  }

  /** What was cut carries again, first what was sent meanwhile. */
  heal(): void {
    const healed = [...this.#cut]
    this.#cut.clear()
    for (const connection of healed) connection.healed()
  }

  isCut(connection: MemoryConnection): boolean {
    return this.#cut.has(connection)
  }

  /** Names a connection and remembers it for who answers. */
  register(connection: MemoryConnection): string {
    this.#made += 1
    const name = `memory${this.#made}`
    this.#offered.set(name, connection)
    return name
  }

  forget(name: string): void {
    const connection = this.#offered.get(name)
    if (connection !== undefined) this.#cut.delete(connection)
    this.#offered.delete(name)
  }

  find(name: string): MemoryConnection | undefined {
    return this.#offered.get(name)
  }
}

/** One end of a pair in memory. */
export class MemoryConnection implements Connection {
  bufferedAmountLowThreshold = 0
  bufferedAmount = 0
  readonly controlBufferedAmount = 0
  readonly hasControl: boolean
  readonly #network: MemoryNetwork
  readonly initiator: boolean
  readonly #events: ConnectionEvents
  readonly #name: string
  #other: MemoryConnection | undefined
  #state: 'connecting' | 'open' | 'closed' = 'connecting'
  /** What was sent while it was cut. */
  #stuck: (() => void)[] = []

  constructor(network: MemoryNetwork, options: ConnectionOptions, events: ConnectionEvents) {
    this.#network = network
    this.hasControl = network.hasControl
    this.initiator = options.initiator
    this.#events = events
    this.#name = network.register(this)
    if (options.initiator) this.#describe('offer')
  }

  signal(signal: PeerSignal): void {
    if (this.#state === 'closed' || signal.type === 'candidate' || signal.type === 'end-of-candidates') return
    if ((signal.type === 'offer') === this.initiator || this.#other !== undefined) {
      this.close(`did not expect this ${signal.type}`)
      return
    }
    this.#other = this.#network.find(/^a=ice-ufrag:(.*)$/m.exec(signal.sdp)?.[1]?.trim() ?? '')
    if (this.#other === undefined) return
    if (signal.type === 'offer') {
      this.#describe('answer')
    } else if (this.#network.reachable) {
      this.open()
      this.#other.open()
    }
  }

  send(message: Uint8Array<ArrayBuffer>, lane?: Lane): void {
    if (this.#state !== 'open') return
    const copy = message.slice()
    if (lane === 'control' && this.hasControl) {
      this.#later(() => this.#other?.deliver(copy))
      return
    }
    this.bufferedAmount += copy.length
    this.#later(() => {
      const wasAbove = this.bufferedAmount > this.bufferedAmountLowThreshold
      this.bufferedAmount -= copy.length
      this.#other?.deliver(copy)
      if (this.#state !== 'open' || !wasAbove) return
      if (this.bufferedAmount <= this.bufferedAmountLowThreshold) this.#events.ondrain()
    })
  }

  close(reason: string): void {
    if (this.#state === 'closed') return
    const wasOpen = this.#state === 'open'
    this.#state = 'closed'
    const isCut = this.#network.isCut(this)
    this.#network.forget(this.#name)
    this.#stuck = []
    queueMicrotask(() => {
      this.#events.onclose(reason)
      if (wasOpen && !isCut) this.#other?.close('the other side closed the connection')
    })
  }

  /** The negotiation is complete. Called by either end. */
  open(): void {
    if (this.#state !== 'connecting') return
    this.#state = 'open'
    queueMicrotask(() => {
      if (this.#state === 'open') this.#events.onopen()
    })
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** It is told that nothing may get through any more, or that it does again. */
  suspected(isSuspect: boolean): void {
    queueMicrotask(() => {
      if (this.#state === 'open') this.#events.onsuspect(isSuspect)
    })
  }

  /** It is not cut any more. */
  healed(): void {
    for (const send of this.#stuck.splice(0)) queueMicrotask(send)
    this.suspected(false)
  }

  /** A message of the other end. */
  deliver(message: Uint8Array<ArrayBuffer>): void {
    if (this.#state === 'open') this.#events.onmessage(message)
  }

  #later(send: () => void): void {
    if (this.#network.isCut(this)) this.#stuck.push(send)
    else queueMicrotask(send)
  }

  #describe(type: 'offer' | 'answer'): void {
    queueMicrotask(() => {
      if (this.#state === 'closed') return
      this.#events.onsignal({ type, sdp: describe(this.#name) })
      this.#events.onsignal({ type: 'end-of-candidates' })
    })
  }
}

function describe(name: string): string {
  const lines = [
    'v=0',
    'o=- 0 0 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:${name}`,
    'a=ice-pwd:memory',
    'a=fingerprint:sha-256 00'
  ]
  return `${lines.join('\r\n')}\r\n`
}
