import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  DEFAULT_MEDIATION_LIMITS,
  type IceServer,
  type MediationLimits,
  type MediatorId
} from '@mayfly/common'
import { createMetrics, type Metrics } from './adapters/metrics.js'
import { Upgrader, type WebSocketConnection } from './adapters/websocket.js'
import { ConnectionQuota } from './core/connection-quota.js'
import { Mediation } from './core/mediation.js'
import { count } from './core/tally.js'
import { Lookups } from './lookups.js'
import type { NetworkCounts } from './network/index.js'
import type { ConnectionOrigin } from './ports/client-connection.js'
import { SILENT_LOG, type Log } from './ports/log.js'
import type { LocalPeers, Network, ReplicationAcceptor } from './ports/network.js'
import { admit, type GateOptions } from './server/gate.js'
import { serveHttp } from './server/http-routes.js'
import { ProxyTrust } from './server/proxy-trust.js'

/** How often deadlines are looked at. All of them are seconds long, and looking costs a microsecond. */
const TICK_MS = 50
/** Time for clients to answer the close frame of a mediator that goes away. */
const DRAIN_MS = 1_500
/** Time for the network to say goodbye. */
const NETWORK_CLOSE_MS = 2_000
/** Time to send the headers of a request. */
const HEADERS_TIMEOUT_MS = 5_000

/** Joins the network of other mediators. `publicUrl`: where they and their peers reach this one. */
export type JoinNetwork = (local: LocalPeers, publicUrl: string) => Promise<JoinedNetwork>

/** The network as a mediator uses it, with numbers for its metrics where it has some. */
export interface JoinedNetwork extends Network, ReplicationAcceptor {
  counts?(): NetworkCounts
}

/** How to run a mediator. */
export interface MediatorOptions {
  /** TCP port; 0 picks a free one. */
  readonly port: number
  /** Address to listen on; all, IPv6 and IPv4, where it is absent. */
  readonly host?: string
  readonly joinNetwork: JoinNetwork
  /** WebSocket URL told to others; made of host and port where it is absent. */
  readonly publicUrl?: string
  readonly limits?: Partial<MediationLimits>
  readonly iceServers?: readonly IceServer[]
  /** Page origins that are allowed; all where it is empty. */
  readonly origins?: readonly string[]
  /** Proxies whose `X-Forwarded-For` counts: addresses, ranges, or `loopback`. */
  readonly trustProxy?: readonly string[]
  /** Certificate chain and key, PEM. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer }
  readonly metricsPublic?: boolean
  readonly log?: Log
}

/** A running mediator. */
export interface Mediator {
  readonly port: number
  readonly mediatorId: MediatorId
  /** What others are told. */
  readonly publicUrl: string
  /** For tests and metrics: reading only. */
  readonly mediation: Mediation
  /** Drains: closes all connections with 1012, leaves the network. Takes at most about 4 s; never rejects. */
  close(): Promise<void>
}

/** Starts a mediator; resolves as soon as it serves. Rejects where the port is in use or the network refuses. */
export async function createMediator(options: MediatorOptions): Promise<Mediator> {
  const server = new MediatorServer(options)
  await server.start()
  return server
}

class MediatorServer implements Mediator {
  readonly #options: MediatorOptions
  readonly #limits: MediationLimits
  readonly #log: Log
  readonly #http: Server
  readonly #upgrader: Upgrader
  readonly #gate: GateOptions
  readonly #open = new Set<WebSocketConnection>()
  #mediation: Mediation | undefined
  #network: JoinedNetwork | undefined
  #metrics: Metrics | undefined
  #ticks: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(options: MediatorOptions) {
    this.#options = options
    this.#limits = { ...DEFAULT_MEDIATION_LIMITS, ...options.limits }
    this.#log = options.log ?? SILENT_LOG
    this.#upgrader = new Upgrader(this.#limits)
    this.#gate = {
      quota: new ConnectionQuota(this.#limits),
      trust: new ProxyTrust(options.trustProxy),
      origins: (options.origins ?? []).map(origin => origin.toLowerCase())
    }
    this.#http = createServer(options.tls)
  }

  async start(): Promise<void> {
    const { port, host, joinNetwork } = this.#options
    this.#http.on('request', (request, response) => {
      serveHttp(
        {
          isReady: () => this.#closing === undefined && this.#network?.ready === true,
          metrics: () => this.#metrics,
          metricsPublic: this.#options.metricsPublic === true
        },
        request,
        response
      ).catch((error: unknown) => {
        this.#log.error({ error: String(error) }, 'a request failed')
        response.destroy()
      })
    })
    this.#http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrade(request, socket, head)
    })
    await listen(this.#http, port, host)
    try {
      this.#network = await joinNetwork(this.#localPeers(), this.publicUrl)
    } catch (error) {
      this.#http.close()
      throw error
    }
    this.#serve(this.#network)
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port
  }

  get mediatorId(): MediatorId {
    if (this.#network === undefined) throw new Error('not started')
    return this.#network.mediatorId
  }

  get mediation(): Mediation {
    if (this.#mediation === undefined) throw new Error('not started')
    return this.#mediation
  }

  get publicUrl(): string {
    const { publicUrl, host, tls } = this.#options
    if (publicUrl !== undefined) return publicUrl
    const name = host === undefined || host === '::' || host === '0.0.0.0' ? '127.0.0.1' : host
    return `${tls === undefined ? 'ws' : 'wss'}://${name.includes(':') ? `[${name}]` : name}:${this.port}`
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain()
    return this.#closing
  }

  #serve(network: JoinedNetwork): void {
    const lookups = new Lookups(network, this.#limits.peersPerAnswer)
    const mediation = new Mediation({
      limits: this.#limits,
      iceServers: this.#options.iceServers ?? [],
      network,
      lookup: lookups,
      random: Math.random
    })
    lookups.answerTo(mediation.questions, clock)
    this.#mediation = mediation
    this.#metrics = createMetrics(mediation, () => network.counts?.())
    this.#ticks = setInterval(() => {
      this.#guard(
        () => mediation.wake(clock()),
        () => undefined
      )
    }, TICK_MS)
  }

  #localPeers(): LocalPeers {
    return {
      seedersOf: (fullHash, limit, connected = []) =>
        this.#mediation?.seedersOf(fullHash, limit, { connected, now: clock() }) ?? [],
      deliver: signal => this.#mediation?.deliver(signal, clock()) ?? false,
      undeliverable: (from, to) => this.#mediation?.undeliverable(from, to)
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    const verdict =
      this.#mediation === undefined || this.#closing !== undefined
        ? { status: 503 as const, reason: 'not serving' }
        : admit(this.#gate, request, clock())
    if ('status' in verdict) {
      if (this.#mediation !== undefined) count(this.#mediation.tally.refusedUpgrades, String(verdict.status))
      refuse(socket, verdict.status, verdict.reason)
      return
    }
    socket.once('close', () => this.#gate.quota.release(verdict.network))
    this.#upgrader.upgrade(request, socket, head, connection => this.#attach(connection, verdict))
  }

  #attach(connection: WebSocketConnection, origin: ConnectionOrigin): void {
    const { mediation } = this
    const session = mediation.open(connection, origin, clock())
    const guarded = (handle: () => void): void => {
      // A mistake of ours in handling one connection ends that connection, not the mediator.
      this.#guard(handle, () => {
        connection.terminate()
        mediation.closed(session, clock())
      })
    }
    this.#open.add(connection)
    connection.listen({
      message: text => guarded(() => mediation.receive(session, text, clock())),
      ping: () => guarded(() => mediation.pinged(session, clock())),
      pong: payload => guarded(() => mediation.ponged(session, payload, clock())),
      closed: () => {
        this.#open.delete(connection)
        guarded(() => mediation.closed(session, clock()))
      }
    })
  }

  #guard(handle: () => void, onFailure: () => void): void {
    try {
      handle()
    } catch (error) {
      this.#log.error({ error: error instanceof Error ? error.stack : String(error) }, 'handling failed')
      onFailure()
    }
  }

  async #drain(): Promise<void> {
    this.#mediation?.goAway(clock())
    const end = clock() + DRAIN_MS
    while (this.#open.size > 0 && clock() < end) await pause(TICK_MS)
    for (const connection of this.#open) connection.terminate()
    clearInterval(this.#ticks)
    await Promise.race([this.#network?.close(), pause(NETWORK_CLOSE_MS)]).catch((error: unknown) => {
      this.#log.warn({ error: String(error) }, 'leaving the network failed')
    })
    const closed = new Promise(resolve => this.#http.close(resolve))
    this.#http.closeAllConnections()
    await Promise.race([closed, pause(TICK_MS)])
  }
}

function createServer(tls: MediatorOptions['tls']): Server {
  const timeouts = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: 2 * HEADERS_TIMEOUT_MS,
    keepAliveTimeout: HEADERS_TIMEOUT_MS,
    // By default the timeouts above are looked at twice a minute only.
    connectionsCheckingInterval: 1_000
  }
  return tls === undefined ? createHttpServer(timeouts) : createTlsServer({ ...timeouts, ...tls })
}

function listen(server: Server, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function refuse(socket: Duplex, status: number, reason: string): void {
  const titles: Record<number, string> = {
    403: 'Forbidden',
    429: 'Too Many Requests',
    503: 'Service Unavailable'
  }
  const head = `HTTP/1.1 ${status} ${titles[status] ?? ''}\r\nConnection: close\r\nContent-Type: text/plain\r\n`
  socket.end(`${head}Retry-After: 1\r\nContent-Length: ${reason.length + 1}\r\n\r\n${reason}\n`)
}

function clock(): number {
  return performance.now()
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
