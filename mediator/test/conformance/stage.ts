import { RawClient, type ClientOptions } from './raw-client.js'
import { randomPeerId } from './random-id.js'
import { SpawnedMediator, type MediatorOptions } from './spawned-mediator.js'

/** Limits per time and per address, far above what a test does. */
export const RELAXED = {
  messagesPerSecond: 1_000_000,
  messagesBurst: 1_000_000,
  connectionsPerAddress: 100_000,
  connectionsPerSecond: 1_000_000,
  connectionsBurst: 1_000_000
} as const

/** How a client of the stage connects. */
export interface ActorOptions extends ClientOptions {
  /** The first mediator of the stage unless given. */
  readonly mediator?: SpawnedMediator
  readonly peerId?: string
}

/** The mediators and clients of one `describe`; none of them outlives it. */
export class Stage {
  readonly mediators: SpawnedMediator[] = []
  /** `true`: clients stay connected after a test of this `describe`. */
  keepsClients = false
  readonly #clients: RawClient[] = []

  get mediator(): SpawnedMediator {
    return this.nth(0)
  }

  nth(index: number): SpawnedMediator {
    const mediator = this.mediators[index]
    if (mediator === undefined) throw new Error(`there is no mediator ${index} on this stage`)
    return mediator
  }

  /** Starts one more mediator, with rates relaxed where `limits` does not say otherwise. */
  async start(options: MediatorOptions = {}): Promise<SpawnedMediator> {
    const limits = { ...RELAXED, ...options.limits }
    const mediator = await SpawnedMediator.start({ ...options, limits })
    this.mediators.push(mediator)
    return mediator
  }

  /** A connection that has not shaken hands. */
  async socket(options: ActorOptions = {}): Promise<RawClient> {
    const client = await RawClient.open((options.mediator ?? this.mediator).url, options)
    this.#clients.push(client)
    return client
  }

  /** A connection that has shaken hands as a peer. */
  async peer(options: ActorOptions = {}): Promise<RawClient> {
    const client = await this.socket(options)
    return client.shakeHands(options.peerId ?? randomPeerId())
  }

  /** A peer whose announcement of the hashes has been handled. */
  async seeder(fullHashes: readonly string[], options: ActorOptions = {}): Promise<RawClient> {
    const peer = await this.peer(options)
    peer.send({ type: 'announce', fullHashes })
    await peer.settled()
    return peer
  }

  /** `count` peers that seed `fullHash`. */
  seeders(count: number, fullHash: string): Promise<RawClient[]> {
    return Promise.all(Array.from({ length: count }, () => this.seeder([fullHash])))
  }

  /** Two peers, of which the first has been told of the second. */
  async introduced(from?: SpawnedMediator, to?: SpawnedMediator): Promise<[RawClient, RawClient]> {
    const fullHash = randomPeerId() + randomPeerId().slice(0, 24)
    const receiver = await this.seeder([fullHash], to === undefined ? {} : { mediator: to })
    const sender = await this.peer(from === undefined ? {} : { mediator: from })
    const { peers } = await sender.ask(fullHash)
    if (peers.length !== 1) throw new Error(`${peers.length} peers were named instead of one`)
    return [sender, receiver]
  }

  /** Ends all clients at once. */
  clear(): void {
    for (const client of this.#clients.splice(0)) client.destroy()
  }

  clearAfterTest(): void {
    if (!this.keepsClients) this.clear()
  }

  async end(): Promise<void> {
    this.clear()
    await Promise.all(this.mediators.splice(0).map(mediator => mediator.kill()))
  }
}

/** A stage whose mediators are started before the tests of this `describe` and killed after them. */
export function ownStage(...mediators: readonly MediatorOptions[]): Stage {
  const stage = new Stage()
  before(async function () {
    this.timeout(50_000 * Math.max(1, mediators.length))
    for (const options of mediators) await stage.start(options)
  })
  afterEach(() => stage.clearAfterTest())
  after(() => stage.end())
  return stage
}

let shared: Promise<SpawnedMediator> | undefined
after(async () => {
  const mediator = await shared?.catch(() => undefined)
  await mediator?.kill()
})

/** A stage on the one mediator with relaxed rates that all such stages share. */
export function sharedStage(): Stage {
  const stage = new Stage()
  before(async function () {
    this.timeout(50_000)
    shared ??= SpawnedMediator.start({ limits: RELAXED })
    stage.mediators.push(await shared)
  })
  afterEach(() => stage.clearAfterTest())
  after(() => stage.clear())
  return stage
}
