import type { IceServer } from '@mayfly/common'
import { MAX_SIGNALS, type PeerSignal } from './core/signal-data.js'
import type { Clock } from './ports/clock.js'
import type { Connection, ConnectionEvents, ConnectionOptions, Connector } from './ports/connector.js'

/** Milliseconds that a spare waits for a peer: as long as a download goes on without anyone who has it. */
const IDLE_MS = 30_000

/**
 * A connector that can begin a connection before the peer is known: its offer is made and its candidates are
 * gathered while the mediator is still being asked. Holds at most one such spare.
 */
export class SpareConnector implements Connector {
  readonly #connector: Connector
  readonly #clock: Clock
  #spare: Spare | undefined
  #given: Spare | undefined
  #cancelIdle = (): void => {}

  constructor(connector: Connector, clock: Clock) {
    this.#connector = connector
    this.#clock = clock
  }

  get unavailable(): string | undefined {
    return this.#connector.unavailable
  }

  /** Connections that are held without a peer: 0 or 1. */
  get held(): number {
    return this.#spare === undefined ? 0 : 1
  }

  /** Begins a spare, unless there is one with these servers. One with others is closed. */
  prepare(iceServers: readonly IceServer[]): void {
    if (this.unavailable !== undefined || this.#spare?.fits(iceServers) === true) return
    this.discard()
    const spare = new Spare(this.#connector, iceServers, () => {
      if (this.#spare === spare) this.#take()
    })
    this.#spare = spare
    this.#cancelIdle = this.#clock.after(IDLE_MS, () => this.discard())
  }

  /** The spare where it is of use, else a new connection. */
  connect(options: ConnectionOptions, events: ConnectionEvents): Connection {
    if (!options.initiator || this.#spare?.fits(options.iceServers) !== true)
      return this.#connector.connect(options, events)
    const spare = this.#take() as Spare
    this.#given = spare
    return spare.giveTo(events)
  }

  /**
   * Who was given the spare is told at once what it had to say, not a turn later: until then, other connections
   * may be made, each of which takes milliseconds.
   */
  tell(): void {
    this.#given?.tell()
    this.#given = undefined
  }

  /** Closes the spare, if there is one. */
  discard(): void {
    this.#take()?.connection.close('it was not needed')
  }

  #take(): Spare | undefined {
    const spare = this.#spare
    this.#spare = undefined
    this.#cancelIdle()
    return spare
  }
}

/** One connection that offers, and what it has to say as long as nobody listens. */
class Spare {
  readonly connection: Connection
  readonly #iceServers: readonly IceServer[]
  #early: PeerSignal[] = []
  #taker: ConnectionEvents | undefined
  #events: ConnectionEvents | undefined

  constructor(connector: Connector, iceServers: readonly IceServer[], onclose: () => void) {
    this.#iceServers = iceServers
    const options = { initiator: true, iceServers }
    this.connection = connector.connect(options, {
      onsignal: signal => {
        if (this.#events !== undefined) this.#events.onsignal(signal)
        else if (this.#early.length < MAX_SIGNALS) this.#early.push(signal)
      },
      onopen: () => this.#events?.onopen(),
      onmessage: message => this.#events?.onmessage(message),
      ondrain: () => this.#events?.ondrain(),
      onsuspect: isSuspect => this.#events?.onsuspect(isSuspect),
      onclose: reason => {
        onclose()
        this.#events?.onclose(reason)
      }
    })
  }

  fits(iceServers: readonly IceServer[]): boolean {
    return JSON.stringify(iceServers) === JSON.stringify(this.#iceServers)
  }

  /** From the next turn on, or from `tell`, `events` is told everything, first what came before. */
  giveTo(events: ConnectionEvents): Connection {
    this.#taker = events
    queueMicrotask(() => this.tell())
    return this.connection
  }

  tell(): void {
    const events = this.#taker
    if (events === undefined || this.#events !== undefined) return
    this.#events = events
    // The offer last: a link sends all that it has together with it.
    const isOffer = ({ type }: PeerSignal): boolean => type === 'offer'
    const early = this.#early
    this.#early = []
    for (const signal of early.filter(other => !isOffer(other))) events.onsignal(signal)
    for (const signal of early.filter(isOffer)) events.onsignal(signal)
  }
}
