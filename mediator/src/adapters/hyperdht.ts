import HyperDHT, { type Plugin, type Reply, type Request } from '@hyperswarm/dht'
import type { DhtAddress, DhtNode, DhtQuery, DhtQuestion, DhtReply, DhtRequest } from '../network/dht-node.js'
import type { Log } from '../network/options.js'

/** How `openDhtNode` starts a node. */
export interface DhtNodeOptions {
  readonly host: string
  /** 0 picks a free port. */
  readonly port: number
  /** `host:port` of another node; without it this one is the first. */
  readonly bootstrap?: string
  readonly log: Log
}

/** hyperdht's command for plugins, and the name and version of ours. */
const PLUGIN_COMMAND = 10
const PLUGIN_NAME = 'mayfly'
const PLUGIN_VERSION = 1
/** Resends of one request of a query: a dead node holds a query up for two seconds instead of six. */
const QUERY_RETRIES = 1
/** Requests under way: hyperdht's 80 are used up by one announcement of a thousand hashes. */
const MAX_WINDOW = 400
/** Milliseconds between two tries to reach the bootstrap address, at first and at most. */
const REFRESH_MS = 250
const REFRESH_MAX_MS = 5_000
const UNREACHABLE_AFTER_MS = 3_000

/** Serves our plugin only: what hyperdht answers besides would make this node a reflector and a free cache. */
class DirectoryDht extends HyperDHT {
  override onrequest(request: Request): boolean {
    return request.command === PLUGIN_COMMAND && super.onrequest(request)
  }
}

/** Binds the socket and joins the network in the background. Rejects with code EADDRINUSE when the port is taken. */
export async function openDhtNode(options: DhtNodeOptions): Promise<DhtNode> {
  const dht = new DirectoryDht({
    // hyperdht takes 0 for "no port given"; the empty range is what makes it pick a free one.
    port: options.port === 0 ? [0, 0] : options.port,
    host: options.host,
    anyPort: false,
    ephemeral: false,
    firewalled: false,
    bootstrap: options.bootstrap === undefined ? [] : [options.bootstrap],
    maxWindow: MAX_WINDOW
  })
  try {
    await dht.bind()
  } catch (error) {
    dht.io.networkInterfaces.destroy()
    await dht.destroy({ force: true }).catch(() => undefined)
    throw error
  }
  return new HyperdhtNode(dht, options)
}

class HyperdhtNode implements DhtNode {
  readonly port: number
  readonly first: boolean
  readonly #dht: HyperDHT
  readonly #log: Log
  readonly #bootstrap: string | undefined
  #handle: (request: DhtRequest) => void = request => request.reply(null)
  #refreshMs = REFRESH_MS
  #refreshTimer: NodeJS.Timeout | undefined
  #warned = false
  #closed = false

  constructor(dht: HyperDHT, options: DhtNodeOptions) {
    this.#dht = dht
    this.#log = options.log
    this.#bootstrap = options.bootstrap
    this.first = options.bootstrap === undefined
    this.port = dht.address().port
    dht.register(PLUGIN_NAME, this.#plugin())
    // The first node has nobody to tell it its own address. Bound to one address it knows it; bound to all, it
    // learns it from the first that comes.
    if (this.first && options.host !== '0.0.0.0') dht._nat.add(options.host, this.port)
    dht.on('nat-update', () => this.#becomePersistent())
    dht.on('add-node', () => {
      if (this.#warned) this.#log.info({ bootstrap: this.#bootstrap }, 'joined the DHT')
      this.#warned = false
      this.#refreshMs = REFRESH_MS
    })
    void this.#join()
    if (!this.first) this.#watchLoneliness(performance.now())
  }

  get size(): number {
    return this.#dht.nodes.length
  }

  get closestCount(): number {
    return this.#dht.table.k
  }

  get ready(): boolean {
    if (this.first && this.size === 0) return !this.#closed
    return !this.#closed && !this.#dht.ephemeral && this.size > 0
  }

  addresses(limit: number): DhtAddress[] {
    return this.#closed ? [] : this.#dht.toArray({ limit })
  }

  serve(handle: (request: DhtRequest) => void): void {
    this.#handle = handle
  }

  onNode(listener: (address: DhtAddress) => void): void {
    this.#dht.on('add-node', ({ host, port }: DhtAddress) => listener({ host, port }))
  }

  query(target: Uint8Array, command: number, onReply: (reply: DhtReply) => void): DhtQuery {
    if (this.#closed) return { finished: Promise.resolve(), closest: [], stop: () => undefined }
    const question = { target, command: PLUGIN_COMMAND, value: pluginRequest(command, null) }
    const query = this.#dht.query(question, { retries: QUERY_RETRIES })
    query.on('data', (reply: Reply) => onReply(replyFrom(reply)))
    return {
      finished: query.finished().catch(() => undefined),
      get closest() {
        return query.closestReplies.map(replyFrom)
      },
      stop: () => query.destroy()
    }
  }

  async request(question: DhtQuestion, to: DhtAddress): Promise<DhtReply | undefined> {
    if (this.#closed) return undefined
    try {
      const reply = await this.#dht.request(
        {
          token: question.token ?? null,
          target: question.target ?? null,
          command: PLUGIN_COMMAND,
          value: pluginRequest(question.command, question.value ?? null)
        },
        to
      )
      return reply.error === 0 ? replyFrom(reply) : undefined
    } catch {
      return undefined
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#refreshTimer)
    await this.#dht.destroy({ force: true }).catch((error: unknown) => {
      this.#log.warn({ error }, 'the DHT did not close cleanly')
    })
  }

  #plugin(): Plugin {
    return {
      name: PLUGIN_NAME,
      version: PLUGIN_VERSION,
      onregister: () => undefined,
      onpersistent: () => undefined,
      destroy: () => undefined,
      onrequest: (plugin, request) => {
        this.#handle({
          command: plugin.command,
          target: request.target,
          value: plugin.value,
          from: { host: request.from.host, port: request.from.port },
          // A request with a wrong token never comes here.
          proved: request.token !== null,
          reply: (value, walk = false) => request.reply(value, { closerNodes: walk })
        })
      }
    }
  }

  async #join(): Promise<void> {
    await this.#dht.fullyBootstrapped().catch(() => undefined)
    this.#becomePersistent()
  }

  /** dht-rpc does this once, when it has bootstrapped; who starts before all others learns its address later. */
  #becomePersistent(): void {
    if (this.#closed || !this.#dht.bootstrapped || !this.#dht.ephemeral) return
    this.#dht._updateNetworkState().catch(() => undefined)
  }

  /** dht-rpc gives up on a bootstrap address after six seconds, and looks again after minutes. */
  #watchLoneliness(since: number): void {
    this.#refreshTimer = setTimeout(() => {
      const alone = this.size === 0
      if (alone) this.#lookAgain(since)
      this.#watchLoneliness(alone ? since : performance.now())
    }, this.#refreshMs)
    this.#refreshMs = Math.min(this.#refreshMs * 2, REFRESH_MAX_MS)
  }

  #lookAgain(since: number): void {
    this.#becomePersistent()
    this.#dht.refresh()
    if (this.#warned || performance.now() - since < UNREACHABLE_AFTER_MS) return
    this.#warned = true
    this.#log.warn({ bootstrap: this.#bootstrap }, 'the bootstrap address does not answer; trying on')
  }
}

function replyFrom(reply: Reply): DhtReply {
  const { id, host, port } = reply.from
  return { from: { id, host, port }, token: reply.token, value: reply.error === 0 ? reply.value : null }
}

/** As hyperdht encodes it: name, version, command, flags, value, in compact-encoding's short forms. */
function pluginRequest(command: number, value: Uint8Array | null): Uint8Array {
  const name = Buffer.from(PLUGIN_NAME)
  const start = [name.length, ...name, PLUGIN_VERSION, command, value === null ? 0 : 1]
  if (value === null) return Uint8Array.from(start)
  const length = value.length < 0xfd ? [value.length] : [0xfd, value.length & 0xff, value.length >> 8]
  return Buffer.concat([Uint8Array.from([...start, ...length]), value])
}
