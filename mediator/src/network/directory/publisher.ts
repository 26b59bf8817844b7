import type { DhtNode, DhtReply } from '../dht-node.js'
import { TokenBucket } from '../../core/token-bucket.js'
import type { DirectoryLimits } from './directory-limits.js'
import { DIRECTORY_COMMAND } from './directory-message.js'
import type { OwnRecordSigner } from './own-records.js'
import type { Provider } from './provider.js'
import { batchSize, type DirectoryKey, type KeyedSeeders } from './record.js'

/** Announcements of one message arrive in a burst: waiting this long puts them into the same datagrams. */
const GATHER_MS = 20
/** Regions of the key space served at once, and batches on their way per region. */
const WORKERS = 4
const BATCHES_AT_ONCE = 3
/** A walk that waits for a dead node does not hold up what the live ones can keep. */
const WALK_MS = 1_500
/** Write tokens of hyperdht live 7.5 to 15 s. */
const TOKEN_MS = 5_000
/** A node that is overwhelmed drops our datagrams; slower than it allows, nothing is dropped. */
const BATCH_RATE = { perSecond: 15, burst: 150 }

type TokenReply = DhtReply & { readonly token: Uint8Array }

/** What it tells, and when. */
interface PublisherParts {
  readonly signer: OwnRecordSigner
  readonly provider: Provider
  readonly limits: DirectoryLimits
  /** Milliseconds since 1970, as the directory goes by. */
  readonly wall: () => number
}

/**
 * Tells the directory what the provider finds due.
 *
 * One walk finds the nodes closest to the first due key; whatever else is due in that region of the key space goes
 * to the same nodes, some thirty keys in a datagram. In a network of up to twenty nodes that is everything.
 */
export class Publisher {
  readonly #node: DhtNode
  readonly #provider: Provider
  readonly #signer: OwnRecordSigner
  readonly #limits: DirectoryLimits
  readonly #wall: () => number
  readonly #bucket = new TokenBucket(BATCH_RATE, performance.now())
  readonly #timers = new Set<NodeJS.Timeout>()
  #workers = 0
  #gathering = false
  #stopped = false

  constructor(node: DhtNode, { signer, provider, limits, wall }: PublisherParts) {
    this.#node = node
    this.#wall = wall
    this.#provider = provider
    this.#signer = signer
    this.#limits = limits
  }

  /** Something may be due. Cheap; call at every change and once in a while. */
  poke(): void {
    if (this.#gathering || this.#stopped || !this.#provider.isDue || this.#signer.url === undefined) return
    this.#gathering = true
    void this.#pause(GATHER_MS).then(() => {
      this.#gathering = false
      while (this.#workers < WORKERS && this.#provider.isDue && !this.#stopped) this.#work()
    })
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  #work(): void {
    const key = this.#provider.next
    if (key === undefined) return
    // Taken at once, so that the workers serve different regions.
    const first = this.#provider.take(candidate => candidate === key, 1)
    if (first.length === 0) return
    this.#workers++
    void this.#serveRegion(key, first).finally(() => {
      this.#workers--
      this.poke()
    })
  }

  async #serveRegion(key: DirectoryKey, first: KeyedSeeders[]): Promise<void> {
    const closest = await this.#closestTo(key)
    const since = performance.now()
    const fits = regionOf(key, closest, this.#node.closestCount)
    const size = batchSize(this.#signer.url?.length ?? 0, this.#limits)
    const under = new Set<Promise<void>>()
    let batch = [...first, ...this.#provider.take(fits, size - first.length)]
    while (batch.length > 0) {
      await this.#waitForTurn()
      const telling: Promise<void> = this.#tell(batch, closest).finally(() => under.delete(telling))
      under.add(telling)
      if (under.size >= BATCHES_AT_ONCE) await Promise.race(under)
      if (this.#stopped || performance.now() - since > TOKEN_MS) break
      batch = this.#provider.take(fits, size)
    }
    await Promise.all(under)
  }

  async #closestTo(key: DirectoryKey): Promise<readonly TokenReply[]> {
    const query = this.#node.query(Buffer.from(key, 'hex'), DIRECTORY_COMMAND.count, () => undefined)
    await Promise.race([query.finished, this.#pause(WALK_MS)])
    const closest = query.closest.filter((reply): reply is TokenReply => reply.token !== null)
    query.stop()
    return closest
  }

  async #tell(batch: readonly KeyedSeeders[], closest: readonly TokenReply[]): Promise<void> {
    const value = this.#signer.batch(batch, this.#wall())
    const answers = await Promise.all(
      closest.map(({ from, token }) =>
        value === undefined
          ? undefined
          : this.#node.request({ command: DIRECTORY_COMMAND.store, token, value }, from)
      )
    )
    const now = performance.now()
    const kept = answers.some(answer => answer !== undefined)
    for (const entry of batch) {
      if (kept || (this.#node.first && this.#node.size === 0)) this.#provider.told(entry, now, Math.random())
      else this.#provider.failed(entry, now)
    }
  }

  async #waitForTurn(): Promise<void> {
    while (!this.#stopped && !this.#bucket.take(performance.now())) await this.#pause(50)
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        resolve()
      }, ms)
      this.#timers.add(timer)
    })
  }
}

/** The keys that the nodes closest to `key` are closest to as well: exactly so within the prefix that all share. */
function regionOf(
  key: DirectoryKey,
  closest: readonly DhtReply[],
  fullSet: number
): (candidate: DirectoryKey) => boolean {
  if (closest.length < fullSet) return () => true
  const target = Buffer.from(key, 'hex')
  const shared = Math.min(...closest.map(({ from }) => sharedBits(target, from.id ?? target)))
  return candidate => sharedBits(target, Buffer.from(candidate, 'hex')) > shared
}

function sharedBits(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! ^ (b[i] ?? 0)
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24
  }
  return a.length * 8
}
