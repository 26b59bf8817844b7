import { BLOCK_BYTES, fullHashOf, type BlockTree, type FullHash, type Hasher } from '@mayfly/common'
import type { OriginShare } from '../api.js'
import type { BlockRequests } from './block-requests.js'
import type { ArrivedBlocks, DownloadEffect } from './download-effect.js'
import { originAdvice, type OriginSituation } from './origin-policy.js'
import { Source } from './source.js'
import { blocksIn } from './source-requests.js'
import { MAX_UNPROVED_BYTES, UnprovedBlocks } from './unproved-blocks.js'

/** Failures in a row after which the origin is not asked any more. */
const MAX_FAILURES = 3

/** Milliseconds until it is asked again after the first of them. */
const RETRY_MS = 1_000

/** Silent for so long, an origin that was to bring everything is not waited for any more: peers are asked too. */
const STALL_MS = 1_000

/** What a plan needs to know to use the origin. */
export interface OriginPlanOptions {
  readonly fullHash: FullHash
  readonly hasher: Hasher
  readonly maxLength: number
  /** See `OriginOptions` in api.ts. */
  readonly afterMs: number
  /** Tree hashes lie beside the content. */
  readonly hasSidecar: boolean
}

/** What comes of blocks of the origin once they are hashed. */
export interface OriginVerdict {
  /** Proved: to be written. */
  readonly right: readonly ArrivedBlocks[]
  /** The origin has brought all of a content whose tree nobody had told of: it is the right one. */
  readonly tree?: BlockTree
}

/** What the plan knows of the peers when it asks for advice. */
export type PeersSituation = Pick<
  OriginSituation,
  | 'peersMayBring'
  | 'nobodyNamed'
  | 'peerHeardAt'
  | 'peerBusyAt'
  | 'peersRate'
  | 'starvedSince'
  | 'readersServed'
>

/**
 * The part that the site's own web server has in one download: when it is asked, for what, and what may be
 * believed of its answer. It has no proofs; its blocks wait until the tree can judge them.
 */
export class OriginPlan {
  /** Its blocks are owed as a peer's are. */
  readonly source = new Source({ peerId: '' as never, mediatorId: '' as never })
  readonly #options: OriginPlanOptions
  readonly #requests: BlockRequests
  readonly #startedAt: number
  readonly #unproved = new UnprovedBlocks()
  #state: OriginShare['state'] = 'waiting'
  #reason: string | undefined
  #retryAt = 0
  #failures = 0
  /** The answer that is coming; undefined: none. */
  #fetching: { readonly startedAt: number; bytes: number; blind: boolean; ended: boolean } | undefined
  #hashing = 0
  /** Blocks being hashed that came before the tree was known: peers may be asked for them too. */
  readonly #unclaimed = new Set<number>()
  #isAborted = false
  #rate: number | undefined
  #sidecar: 'none' | 'wanted' | 'asked' | 'done'
  #lookAt = 0

  constructor(options: OriginPlanOptions, requests: BlockRequests, now: number) {
    this.#options = options
    this.#requests = requests
    this.#startedAt = now
    this.#sidecar = options.hasSidecar ? 'wanted' : 'none'
    requests.origin = this.source
    this.source.state = 'connected'
    this.source.proved = true
    this.source.complete = true
  }

  /** It brings something, or will be asked again. */
  get hopeful(): boolean {
    return this.#state !== 'failed'
  }

  /** Whether it is to bring everything alone: what a page needs at once, as long as it does. */
  first(now: number): boolean {
    if (this.#options.afterMs > 0 || this.#state === 'failed' || this.#failures > 0) return false
    const askedAt = this.#fetching?.startedAt ?? now
    return now - Math.max(askedAt, this.source.heardAt) < STALL_MS
  }

  get share(): OriginShare {
    const share = { bytes: this.source.bytes, state: this.#state }
    return this.#reason === undefined ? share : { ...share, reason: this.#reason }
  }

  wakeAt(now: number): number {
    if (this.#state === 'failed') return Infinity
    if (this.#fetching !== undefined) return this.first(now) ? now + STALL_MS : Infinity
    return Math.max(now + 1, this.#retryAt, this.#lookAt)
  }

  /** Asks for what peers do not bring soon enough; ends an answer that is of no use any more. */
  wake(peers: PeersSituation, now: number): DownloadEffect[] {
    if (this.#isAborted) {
      this.#isAborted = false
      return [{ type: 'abort_fetch' }]
    }
    if (this.#state === 'failed') return []
    if (this.#fetching !== undefined) return this.#endUseless()
    if (now < this.#retryAt || this.#unproved.bytes > MAX_UNPROVED_BYTES) return []
    const requests = this.#requests
    const advice = originAdvice({
      ...peers,
      now,
      startedAt: this.#startedAt,
      afterMs: this.#options.afterMs,
      originRate: this.#rate,
      missingBytes: requests.tree === undefined ? undefined : requests.missingBytes,
      owedBytes: requests.owedBytes
    })
    this.#lookAt = advice.lookAt
    if (advice.bytes > 0) return this.#ask(Math.ceil(advice.bytes / BLOCK_BYTES), now)
    return this.#takeOver(now)
  }

  /** The answer begins. `length`: of the whole content, where it says. `ranged`: it is what was asked for. */
  began({ length, ranged }: { length: number | undefined; ranged: boolean }, now: number): void {
    const fetching = this.#fetching
    if (fetching === undefined) return
    this.source.heardAt = now
    const { tree } = this.#requests
    const most = Math.min(this.#options.maxLength, MAX_UNPROVED_BYTES)
    if (tree === undefined && length !== undefined && length > most) {
      this.#fail('is too long to verify without tree hashes')
    } else if (tree !== undefined && length !== undefined && length !== tree.length) {
      this.#fail('has another content')
    } else if (tree !== undefined && !ranged && !fetching.blind) {
      // It sends everything from the beginning: then it owes everything.
      this.#requests.owe(this.source, { first: 0, most: Infinity, now })
    }
  }

  /** Whole blocks of the answer (the last of the content may be short). */
  arrived(first: number, bytes: Uint8Array<ArrayBuffer>, now: number): DownloadEffect[] {
    const fetching = this.#fetching
    if (fetching === undefined) return []
    fetching.bytes += bytes.length
    this.#state = 'active'
    const count = Math.ceil(bytes.length / BLOCK_BYTES)
    const isKnown = this.#requests.tree !== undefined
    const fresh = isKnown ? this.#requests.arrivedFrom(this.source, first, count) : blocksIn([first, count])
    this.source.received(bytes.length, now)
    if (!isKnown && this.#unproved.bytes + bytes.length > MAX_UNPROVED_BYTES) {
      this.#fail('is too long to verify without tree hashes')
      return []
    }
    this.#requests.wastedBytes += Math.max(0, bytes.length - fresh.length * BLOCK_BYTES)
    if (fresh.length === 0) return this.#endUseless()
    this.#hashing++
    if (!isKnown) for (const block of fresh) this.#unclaimed.add(block)
    return [{ type: 'hash', blocks: { peer: undefined, first, bytes, proof: NO_PROOF, level: 0, fresh } }]
  }

  /** Blocks of the answer are hashed. */
  hashed({ first, bytes, fresh }: ArrivedBlocks, leaves: readonly Uint8Array[]): OriginVerdict {
    this.#hashing--
    const { tree } = this.#requests
    for (const block of fresh) {
      const isUnclaimed = this.#unclaimed.delete(block)
      // Peers may have brought it meanwhile.
      if (tree !== undefined && isUnclaimed && !this.#requests.claim(block)) continue
      const at = (block - first) * BLOCK_BYTES
      const leaf = leaves[block - first]
      if (leaf !== undefined) this.#unproved.add(block, bytes.subarray(at, at + BLOCK_BYTES), leaf)
    }
    return tree === undefined ? this.#judgeWhole() : { right: this.judge(fresh) }
  }

  /** The tree knows more: judges what waits for it. */
  judge(blocks: Iterable<number> = this.#unproved): ArrivedBlocks[] {
    const { tree } = this.#requests
    if (tree === undefined) return []
    const { right, wrong } = this.#unproved.judge(blocks, tree)
    if (wrong.length > 0) {
      this.#requests.discard(wrong)
      this.#fail('sent wrong bytes')
    }
    return right.map(({ first, bytes }) => {
      this.source.credit(bytes.length)
      this.#failures = 0
      const fresh = blocksIn([first, Math.ceil(bytes.length / BLOCK_BYTES)])
      return { peer: undefined, first, bytes, proof: NO_PROOF, level: 0, fresh }
    })
  }

  /** Asks a peer for the hashes of what has come and is to come, unless they lie beside the content. */
  askProofs(): DownloadEffect[] {
    if (this.#requests.tree === undefined || this.#sidecar === 'asked') return []
    return this.#requests.askProofs([...this.#unproved, ...this.source.owed.keys()])
  }

  /** Root and length became known meanwhile: what came and what is still to come is no longer asked of peers. */
  treeKnown(now: number): void {
    const known = [...this.#unproved].filter(block => block < (this.#requests.tree?.blockCount ?? 0))
    for (const block of known) this.#requests.claim(block)
    const fetching = this.#fetching
    if (fetching === undefined || fetching.ended) return
    const next = Math.ceil(fetching.bytes / BLOCK_BYTES)
    const most = this.first(now) ? Infinity : AHEAD_BLOCKS
    this.#requests.owe(this.source, { first: next, most, now })
  }

  /** The answer is over; `reason`: it failed. */
  ended(reason: string | undefined, now: number): OriginVerdict {
    const fetching = this.#fetching
    if (fetching === undefined) return { right: [] }
    const ms = now - fetching.startedAt
    if (fetching.bytes > 0 && ms > 0) this.#rate = (fetching.bytes * 1000) / ms
    fetching.ended = true
    if (reason === undefined) {
      this.#state = 'waiting'
      const verdict = this.#requests.tree === undefined ? this.#judgeWhole() : { right: [] }
      if (!fetching.blind || this.#requests.tree !== undefined) this.#fetching = undefined
      this.#giveUp()
      return verdict
    }
    this.#fetching = undefined
    this.#giveUp()
    if (fetching.blind && this.#requests.tree === undefined) this.#unproved.clear()
    this.#failures++
    this.#reason = reason
    this.#retryAt = now + RETRY_MS * 2 ** this.#failures
    this.#state = this.#failures < MAX_FAILURES ? 'waiting' : 'failed'
    return { right: [] }
  }

  /** What lies beside the content; undefined: nothing of use. The tree is proved by the full hash already. */
  sidecar(): void {
    this.#sidecar = 'done'
  }

  /** It is of no use: its status says that it does not have the content, or it is another one. */
  refused(reason: string): void {
    this.#fail(reason)
  }

  #ask(count: number, now: number): DownloadEffect[] {
    const sidecar = this.#askSidecar()
    if (this.#requests.tree === undefined) {
      this.#begin(true, now)
      return [...sidecar, { type: 'fetch', range: undefined }]
    }
    const range = this.#requests.oweRun(this.source, count, now)
    if (range === undefined) return [...sidecar, ...this.#takeOver(now, true)]
    this.#begin(false, now)
    return [...sidecar, { type: 'fetch', range }, ...this.askProofs()]
  }

  /** `overdue`: peers had time enough. */
  #takeOver(now: number, overdue = false): DownloadEffect[] {
    const { range, cancels } = this.#requests.takeOverFor(this.source, now, overdue)
    if (range === undefined) return []
    this.#begin(false, now)
    return [{ type: 'fetch', range }, ...cancels, ...this.askProofs()]
  }

  #begin(blind: boolean, now: number): void {
    this.#fetching = { startedAt: now, bytes: 0, blind, ended: false }
    this.#state = 'asked'
  }

  #askSidecar(): DownloadEffect[] {
    if (this.#sidecar !== 'wanted') return []
    this.#sidecar = 'asked'
    return [{ type: 'fetch_sidecar' }]
  }

  #judgeWhole(): OriginVerdict {
    const isOver = this.#fetching?.ended === true && this.#hashing === 0
    if (!isOver) return { right: [] }
    this.#fetching = undefined
    const { fullHash, hasher } = this.#options
    const tree = this.#unproved.wholeTree(hasher)
    if (tree !== undefined && fullHashOf(tree.piecesRoot, tree.length, hasher) === fullHash) {
      return { right: [], tree }
    }
    this.#fail('has another content')
    return { right: [] }
  }

  /** Nothing that is wanted is still to come of the answer. */
  #endUseless(): DownloadEffect[] {
    const fetching = this.#fetching
    if (fetching === undefined || fetching.ended || this.#requests.tree === undefined) return []
    if (this.source.owed.size > 0) return []
    this.#fetching = undefined
    this.#state = 'waiting'
    return [{ type: 'abort_fetch' }]
  }

  #giveUp(): void {
    this.#requests.release(this.source)
  }

  /** What it sends from now on is of no use: `wake` says so. */
  #fail(reason: string): void {
    this.#isAborted ||= this.#fetching?.ended === false
    this.#state = 'failed'
    this.#reason = reason
    this.#fetching = undefined
    this.#giveUp()
    this.#requests.discard([...this.#unproved])
    this.#unproved.clear()
  }
}

const NO_PROOF = new Uint8Array(0)

/** Blocks that an answer for everything still brings once peers are there: 1 MiB. */
const AHEAD_BLOCKS = 64
