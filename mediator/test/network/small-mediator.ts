import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomBytes } from 'node:crypto'
import type { FullHash, MediationLimits, MediatorId, PeerAddress, PeerId } from '@mayfly/common'
import { WebSocketServer, type WebSocket } from 'ws'
import { createNetwork, type Log, type StartedNetwork } from '../../src/network/index.js'
import type { LocalPeers, RoutedSignal } from '../../src/ports/network.js'

export const SILENT: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/** A network with the least around it: who seeds is said by the test, signals are written down. */
export class SmallMediator implements LocalPeers {
  readonly seeders = new Map<FullHash, PeerId[]>()
  readonly peers = new Set<PeerId>()
  readonly delivered: RoutedSignal[] = []
  readonly undelivered: { from: PeerId; to: PeerAddress }[] = []
  readonly sockets = new Set<WebSocket>()
  /** The `connected` of every question that another mediator asked. */
  readonly told: (readonly PeerId[])[] = []
  /** Connections that ever came in. */
  connections = 0
  network!: StartedNetwork
  url = ''
  #server!: Server

  static async start(
    options: {
      bootstrap?: string
      dhtPort?: number
      seed?: Uint8Array
      host?: string
      limits?: Partial<MediationLimits>
    } = {}
  ) {
    const mediator = new SmallMediator()
    mediator.network = await createNetwork({
      keyPair: { seed: options.seed ?? randomBytes(32) },
      host: options.host ?? '127.0.0.1',
      dhtPort: options.dhtPort ?? 0,
      localPeers: mediator,
      log: SILENT,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(options.bootstrap === undefined ? {} : { bootstrap: options.bootstrap })
    })
    await mediator.#listen()
    mediator.network.setPublicUrl(mediator.url)
    return mediator
  }

  get id(): MediatorId {
    return this.network.mediatorId
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.network.dhtPort}`
  }

  /** Puts a local seeder of `fullHash` there. */
  seed(fullHash: FullHash, peerId: PeerId): void {
    const seeders = [...(this.seeders.get(fullHash) ?? []), peerId]
    this.seeders.set(fullHash, seeders)
    this.peers.add(peerId)
    this.network.provide(fullHash, seeders.length)
  }

  unseed(fullHash: FullHash): void {
    this.seeders.delete(fullHash)
    this.network.provide(fullHash, 0)
  }

  /** All peers that one question finds elsewhere. */
  async find(fullHash: FullHash, connected?: readonly PeerAddress[]): Promise<PeerAddress[]> {
    const found: PeerAddress[] = []
    const signal = new AbortController().signal
    const options = { limit: 8, deadlineMs: 4_000, signal, ...(connected === undefined ? {} : { connected }) }
    await this.network.findPeers(fullHash, options, peers => found.push(...peers))
    return found
  }

  /** Cuts every connection without a word, as SIGKILL does. */
  async kill(): Promise<void> {
    for (const socket of this.sockets) socket.terminate()
    await this.stop()
  }

  async stop(): Promise<void> {
    await this.network.close()
    for (const socket of this.sockets) socket.terminate()
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  seedersOf(fullHash: FullHash, limit: number, connected: readonly PeerId[] = []): readonly PeerAddress[] {
    this.told.push(connected)
    const seeders = this.seeders.get(fullHash) ?? []
    const ordered = new Set([...connected.filter(peerId => seeders.includes(peerId)), ...seeders])
    return [...ordered].slice(0, limit).map(peerId => ({ peerId, mediatorId: this.id }))
  }

  deliver(signal: RoutedSignal): boolean {
    if (!this.peers.has(signal.to.peerId)) return false
    this.delivered.push(signal)
    return true
  }

  undeliverable(from: PeerId, to: PeerAddress): void {
    this.undelivered.push({ from, to })
  }

  async #listen(): Promise<void> {
    this.#server = createServer()
    new WebSocketServer({ server: this.#server, maxPayload: 65_536 }).on('connection', socket =>
      this.#serve(socket)
    )
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    this.url = `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  #serve(socket: WebSocket): void {
    this.sockets.add(socket)
    this.connections++
    let session: ReturnType<StartedNetwork['accept']> | undefined
    const connection = {
      send: (text: string) => socket.send(text),
      close: (code: number, reason: string) => socket.close(code, reason),
      get bufferedAmount() {
        return socket.bufferedAmount
      }
    }
    socket.on('message', (data: Buffer) => {
      const text = data.toString()
      if (session !== undefined) session.receive(text)
      else
        session = this.network.accept(connection, (JSON.parse(text) as { mediatorId: MediatorId }).mediatorId)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.sockets.delete(socket)
      session?.closed()
    })
  }
}

export function randomHash(): FullHash {
  return randomBytes(32).toString('hex') as FullHash
}

export function randomPeer(): PeerId {
  return randomBytes(20).toString('hex') as PeerId
}

/** Waits until `check` gives something, at most `ms` milliseconds; fails with `what` after that. */
export async function eventually<T>(
  what: string,
  ms: number,
  check: () => T | false | undefined | Promise<T | false | undefined>
): Promise<T> {
  const end = performance.now() + ms
  for (;;) {
    const value = await check()
    if (value !== undefined && value !== false) return value
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
