import { FullHashBuilder, type FullHash, type IceServer, type PeerId } from '@mayfly/common'
import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { KBucketTable } from '../src/adapters/k-bucket-table.js'
import { MemoryNetwork } from '../src/adapters/memory-connector.js'
import { unavailableConnector } from '../src/adapters/unavailable-connector.js'
import { memorySource } from '../src/adapters/memory-source.js'
import { MemoryStore } from '../src/adapters/memory-store.js'
import { nodeHasher } from '../src/adapters/node-hasher.js'
import type { ConnectOptions } from '../src/api.js'
import { MayflyError, reasonOf } from '../src/error.js'
import { MayflySession } from '../src/mayfly-session.js'
import type { Store } from '../src/ports/store.js'
import type { Connector } from '../src/ports/connector.js'
import type { Notes } from '../src/ports/notes.js'
import { ManualClock } from './manual-clock.js'
import { MemoryMediation } from './memory-mediation.js'
import { MemoryOrigin } from './memory-origin.js'
import { observed, type Observation } from './observed-connector.js'
import { ScriptedPeer, type Script } from './scripted-peer.js'
import { over, type Uplink } from './uplink.js'

export const MEDIATORS = ['ws://one.example', 'ws://two.example'] as const

/** How a session of the world is opened. */
export interface PersonOptions extends ConnectOptions, Observation {
  readonly urls?: readonly string[]
  readonly inStore?: Store
  /** Why its platform has no WebRTC; by default it has. */
  readonly noWebRtc?: string
  readonly notes?: Notes
  /** What its blocks leave over; by default nothing holds them up. */
  readonly uplink?: Uplink
}

/** Milliseconds of the world's time that pass at once. */
const STEP_MS = 5

/** Whole sessions whose mediators, channels and stores are in memory, in a time that passes while someone waits. */
export class MemoryWorld {
  readonly clock = new ManualClock()
  readonly mediation = new MemoryMediation()
  readonly network = new MemoryNetwork()
  readonly origin = new MemoryOrigin(this.clock)
  /** Ends of connections made so far. */
  connections = 0
  /** What each of them that offered was made with for ICE. */
  readonly offeredWith: (readonly IceServer[])[] = []
  /** First byte of every message that somebody sent on a connection that it offered. */
  readonly sent: (number | undefined)[] = []
  readonly #endings: (() => unknown)[] = []
  readonly #networks = new Map<MayflySession, () => void>()

  join(options: PersonOptions = {}): MayflySession {
    const {
      urls = MEDIATORS,
      inStore: store = new MemoryStore(),
      noWebRtc,
      notes,
      uplink,
      ...connect
    } = options
    let changed = (): void => {}
    const session = new MayflySession(
      urls,
      {
        clock: this.clock,
        connector:
          noWebRtc === undefined
            ? observed(uplink ? over(uplink, this.#connector()) : this.#connector(), this.clock, options)
            : unavailableConnector(noWebRtc),
        openSocket: this.mediation.openSocket,
        hasher: nodeHasher,
        mediatorTable: peerId => new KBucketTable(peerId, nodeHasher),
        store,
        origin: this.origin,
        // What is looked at afterwards all the same is empty then.
        freeMessage: ({ buffer }) => void structuredClone(buffer, { transfer: [buffer] }),
        randomBytes,
        onnetwork: tell => {
          changed = tell
          return () => (changed = (): void => {})
        },
        ...(notes && { notes })
      },
      connect
    )
    this.#networks.set(session, () => changed())
    this.#endings.push(() => session.close())
    return session
  }

  /** A peer that seeds `bytes`, as soon as it can be found. */
  async seeder(bytes: Uint8Array<ArrayBuffer>, options?: PersonOptions): Promise<MayflySession> {
    const session = this.join(options)
    await this.seed(session, bytes)
    return session
  }

  /** Seeds one more content. */
  async seed(session: MayflySession, bytes: Uint8Array<ArrayBuffer>): Promise<FullHash> {
    const fullHash = await session.seedSource(memorySource(bytes))
    await this.passing(session.announced(fullHash))
    return fullHash
  }

  /** Someone's computer is on another network: what was open leads nowhere. `told`: the platform says so. */
  changeNetwork(session: MayflySession, { told = true } = {}): void {
    this.network.cut(() => !told)
    if (told) this.#networks.get(session)?.()
  }

  /** Lets time pass until `condition` holds; fails once `ms` have passed. */
  async until(condition: () => boolean, ms = 60_000): Promise<void> {
    const deadline = this.clock.now() + ms
    while (!condition()) {
      if (this.clock.now() > deadline) throw new Error(`not within ${ms} ms: ${condition.toString()}`)
      await this.clock.advance(STEP_MS)
    }
  }

  /** Lets time pass until `promise` settles, and gives what it gives. */
  async passing<Value>(promise: Promise<Value>, ms?: number): Promise<Value> {
    let isSettled = false
    const settled = (): void => void (isSettled = true)
    promise.then(settled, settled)
    await this.until(() => isSettled, ms)
    return promise
  }

  /** A peer that announces `fullHash` and then does what its script says. */
  async scripted(fullHash: FullHash, script: Script): Promise<ScriptedPeer> {
    const peer = this.stranger(script)
    await this.passing(peer.announce(fullHash))
    return peer
  }

  /** A peer that announces nothing. */
  stranger(script: Script = {}, as: { peerId?: PeerId; urls?: readonly string[] } = {}): ScriptedPeer {
    const { clock } = this
    const { openSocket } = this.mediation
    const peer = new ScriptedPeer({
      urls: [MEDIATORS[0]],
      openSocket,
      connector: this.#connector(),
      script,
      clock,
      ...as
    })
    this.#endings.push(() => peer.close())
    return peer
  }

  async end(): Promise<void> {
    for (const end of this.#endings.splice(0)) await end()
  }

  #connector(): Connector {
    const connector = this.network.connector()
    return {
      unavailable: undefined,
      connect: (options, events) => {
        this.connections++
        const connection = connector.connect(options, events)
        if (!options.initiator) return connection
        this.offeredWith.push(options.iceServers)
        const send = connection.send.bind(connection)
        return Object.assign(connection, {
          send: (message: Uint8Array<ArrayBuffer>) => {
            this.sent.push(message[0])
            send(message)
          }
        })
      }
    }
  }
}

/** So many bytes that repeat nowhere. */
export function bytesOf(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(randomBytes(length))
}

export async function fullHashOfBytes(bytes: Uint8Array<ArrayBuffer>): Promise<FullHash> {
  const builder = new FullHashBuilder(nodeHasher)
  await builder.update(bytes)
  return (await builder.finish()).fullHash
}

export function expectSame(actual: Uint8Array, expected: Uint8Array): void {
  expect(Buffer.compare(actual, expected), 'the bytes').to.equal(0)
}

/** The code that it fails with; throws where it does not fail on purpose. */
export async function failureOf(promise: Promise<unknown>): Promise<MayflyError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason
  )
  if (error instanceof MayflyError) return error
  throw new Error(error === undefined ? 'it did not fail' : `it failed with ${reasonOf(error)}`)
}
