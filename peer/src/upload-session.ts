import {
  BLOCK_BYTES,
  HASH_BYTES,
  type BlockRun,
  type BlockTree,
  type Data,
  type Header,
  type FullHash,
  type Part,
  type GetHashes,
  type RejectReason,
  type RequesterMessage,
  type ServerMessage,
  type Start
} from '@mayfly/common'
import type { Content } from './content.js'
import { CrowdQueue } from './core/crowd-queue.js'
import type { GivenBlocks } from './core/given-blocks.js'
import { UploadQueue, type QueuedRun, type TakenRun } from './core/upload-queue.js'
import { HeldNews } from './held-news.js'

/** Streams that one peer may have open: a page of 200 objects fits. */
const MAX_STREAMS = 256

/** From so many blocks on, 8 MiB, those who fetch a content at the same time are each sent something else. */
const SWARM_BLOCKS = 512

/** What an upload session needs of the peer that it is part of. */
export interface UploadHost {
  /** What can be served under a full hash. */
  content(fullHash: FullHash): Content | undefined
  send(message: ServerMessage): void
  /** The same for blocks, when `ready` has settled. */
  sendBlocks(message: Data | Part | Start): void
  /** One message is there sooner than two. */
  isNear(): boolean
  /** Bytes of blocks that one message may have, as the link is now; `isFirst`: the first of a large content. */
  pieceBytes(isFirst: boolean): number
  /**
   * Settles when the rate limit allows so many bytes of blocks: a whole block at least, for where the small parts of
   * what several peers wait for took turns, all of them would wait for the last part.
   */
  turn(bytes: number): Promise<void>
  /** Settles when the channel can take another message. */
  ready(): Promise<void>
  /** False: no slot for one more peer for such contents. Called again and again while serving. */
  begin(content: Content): boolean
  sent(fullHash: FullHash, bytes: number): void
  now(): number
  after(ms: number, run: () => void): () => void
  /** Nothing is queued any more. */
  idle(): void
  /** A content could not be read. */
  unreadable(content: Content, error: unknown): void
}

interface Stream {
  readonly content: Content
  /** Not sent yet: it waits for the first blocks. */
  header: Header | undefined
  readonly stopHave: () => void
}

/**
 * Serves one peer on its channel: answers its streams in the order of its requests.
 *
 * Every requested block is answered exactly once, by `data` or `reject`, unless the stream or the channel
 * closes before.
 */
export class UploadSession {
  readonly #host: UploadHost
  readonly #streams = new Map<number, Stream>()
  /** Those of large contents on which no blocks were sent yet. */
  readonly #fresh = new Set<number>()
  readonly #queue = new UploadQueue()
  readonly #crowd: CrowdQueue
  #pumping = false
  #cancelWait: () => void = () => {}
  #closed = false

  constructor(host: UploadHost) {
    this.#host = host
    this.#crowd = new CrowdQueue(this, this.#queue, stream => this.#givenOf(stream))
  }

  /** A decoded message of the requester. What makes no sense is answered or ignored; nothing throws. */
  receive(message: RequesterMessage): void {
    const { stream } = message
    if (message.type === 'open') {
      this.#open(stream, message.fullHash, message)
      return
    }
    const opened = this.#streams.get(stream)
    if (opened === undefined) return
    if (message.type === 'close') this.#close(stream)
    else if (message.type === 'request') this.#request(opened.content, message)
    else if (message.type === 'get_hashes') this.#hashes(opened.content, message)
    else {
      for (const { first, count } of this.#queue.cancel(stream, message.first, message.count)) {
        this.#reject(stream, first, count, 'cancelled')
        this.#crowd.cancelled(stream, first, count)
      }
      void this.#pump()
    }
  }

  /** The content is not served any more: its streams are refused. */
  withdraw(content: Content): void {
    for (const [stream, opened] of [...this.#streams]) {
      if (opened.content !== content) continue
      this.#close(stream)
      this.#reject(stream, 0, 0, 'not_found')
    }
  }

  /** Somebody else is served from now on with what is our `own`, or with the rest: what is queued of it is refused. */
  refuse(own: boolean): void {
    const refused = this.#queue.clear(stream => this.#streams.get(stream)?.content.own === own)
    for (const { stream, first, count } of refused) this.#reject(stream, first, count, 'busy')
  }

  /** The channel is closed. */
  close(): void {
    this.#closed = true
    this.#cancelWait()
    for (const stream of [...this.#streams.keys()]) this.#close(stream)
  }

  #open(stream: number, fullHash: FullHash, { first, count }: { first: number; count: number }): void {
    const content = this.#host.content(fullHash)
    if (content === undefined || this.#streams.has(stream)) {
      this.#close(stream)
      this.#reject(stream, 0, 0, 'not_found')
      return
    }
    if (this.#streams.size >= MAX_STREAMS) {
      this.#reject(stream, 0, 0, 'busy')
      return
    }
    const { tree, held } = content
    const { length, piecesRoot } = tree
    const header = { type: 'header', stream, length, piecesRoot, complete: held.complete } as const
    const end = Math.min(first + count, tree.blockCount)
    const isLarge = tree.blockCount >= SWARM_BLOCKS
    const isTogether = this.#host.isNear() && held.complete && first < end && !this.#pumping && !isLarge
    if (!isTogether) this.#host.send(header)
    if (isLarge) {
      content.given.join(this)
      this.#fresh.add(stream)
    }
    this.#streams.set(stream, {
      content,
      header: isTogether ? header : undefined,
      stopHave: held.complete ? () => {} : this.#tellHeld(stream, content)
    })
    if (first < end) this.#request(content, { stream, first, count: end - first, level: tree.height })
  }

  /** Sends what is not blocks, behind the header. */
  #say(message: ServerMessage): void {
    this.#takeHeader(message.stream, header => this.#host.send(header))
    this.#host.send(message)
  }

  #takeHeader(number: number, send: (header: Header) => void): void {
    const stream = this.#streams.get(number)
    const header = stream?.header
    if (stream === undefined || header === undefined) return
    stream.header = undefined
    send(header)
  }

  #tellHeld(stream: number, content: Content): () => void {
    const news = new HeldNews(content, {
      tell: runs => this.#host.send({ type: 'have', stream, runs }),
      now: () => this.#host.now(),
      after: (ms, run) => this.#host.after(ms, run)
    })
    return () => news.stop()
  }

  #request(content: Content, run: QueuedRun): void {
    const { stream, first, count } = run
    if (!content.tree.contains(first, count) || !content.held.hasRun(first, count)) {
      this.#reject(stream, first, count, 'not_held')
    } else if (!this.#host.begin(content) || !this.#queue.add(run)) {
      this.#reject(stream, first, count, 'busy')
    } else {
      void this.#pump()
    }
  }

  /** Tells hashes: so little that it takes no place in the queue. */
  #hashes({ tree }: Content, { stream, first, count, level }: GetHashes): void {
    const proof = tree.proof(first, count, level)
    const leaves = proof && leavesOf(tree, first, count)
    if (proof === undefined || leaves === undefined)
      this.#say({ type: 'hashes', stream, first, leaves: NONE, proof: NONE })
    else this.#say({ type: 'hashes', stream, first, leaves, proof })
  }

  /** Reads the next run while the last one is being sent. Never rejects. */
  async #pump(): Promise<void> {
    if (this.#pumping || this.#closed) return
    this.#pumping = true
    let next = this.#readNext()
    for (;;) {
      const part = await next
      if (part === undefined || this.#closed) break
      next = this.#readNext()
      await this.#sendRun(part.run, part.bytes)
      // What was added while the last run was on its way.
      if ((await next) === undefined && !this.#queue.empty) next = this.#readNext()
    }
    this.#pumping = false
    if (this.#closed) return
    this.#cancelWait()
    const waitMs = this.#crowd.waitMs(this.#host.now())
    if (waitMs === undefined) this.#host.idle()
    else this.#cancelWait = this.#host.after(waitMs, () => void this.#pump())
  }

  async #readNext(): Promise<{ run: TakenRun; bytes: Uint8Array<ArrayBuffer> } | undefined> {
    const take = (): TakenRun | undefined => this.#crowd.take(this.#host.now())
    for (let run = take(); run !== undefined; run = take()) {
      const content = this.#streams.get(run.stream)?.content
      try {
        if (content !== undefined) return { run, bytes: await content.read(run.first, run.count) }
      } catch (error) {
        if (!this.#closed && content !== undefined) this.#host.unreadable(content, error)
      }
      this.#queue.done(run)
    }
    return undefined
  }

  async #sendRun(run: TakenRun, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let next = run.next(); next !== undefined; next = run.next()) {
      const from = (next[0] - run.first) * BLOCK_BYTES
      const isOpen = await this.#sendBlocks(run, next, bytes.subarray(from, from + next[1] * BLOCK_BYTES))
      if (!isOpen) break
    }
    this.#queue.done(run)
  }

  #sendData(data: Data): void {
    const { stream } = data
    const header = this.#streams.get(stream)?.header
    this.#takeHeader(stream, () => {})
    if (header === undefined) this.#host.sendBlocks(data)
    else this.#host.sendBlocks({ type: 'start', stream, header, data })
  }

  /**
   * Sends one message of blocks, unless some of them are taken back while it waits; on a slow link most of it goes
   * ahead in parts. False: the stream or the channel has closed.
   */
  async #sendBlocks(run: TakenRun, next: BlockRun, payload: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const { stream } = run
    const [first, count] = next
    let rest = payload
    let granted = 0
    for (;;) {
      const size = Math.min(this.#host.pieceBytes(this.#fresh.has(stream)), rest.length)
      if (size > granted) {
        const asked = Math.min(rest.length, Math.max(size, BLOCK_BYTES)) - granted
        await this.#host.turn(asked)
        granted += asked
      }
      granted -= size
      await this.#host.ready()
      const content = this.#streams.get(stream)?.content
      if (content === undefined || this.#closed) return false
      if (rest === payload && !run.begin(next)) return true
      this.#fresh.delete(stream)
      if (size === rest.length) {
        this.#sendLast(content, { stream, first, count, level: run.level }, { payload, rest })
        return true
      }
      this.#takeHeader(stream, header => this.#host.send(header))
      this.#host.sendBlocks({ type: 'part', stream, first, bytes: rest.subarray(0, size) })
      rest = rest.subarray(size)
    }
  }

  /** The message that proves the blocks, with what was not sent in parts. */
  #sendLast(
    { tree, fullHash }: Content,
    { stream, first, count, level }: QueuedRun,
    { payload, rest }: Record<'payload' | 'rest', Uint8Array<ArrayBuffer>>
  ): void {
    const proof = tree.proof(first, count, level)
    if (proof === undefined) {
      this.#reject(stream, first, count, 'not_held')
      return
    }
    this.#sendData({ type: 'data', stream, first, proof, bytes: rest })
    this.#host.sent(fullHash, payload.length)
  }

  /** What was given of a content to whom; of parts, others have what we have. */
  #givenOf(stream: number): GivenBlocks | undefined {
    const content = this.#streams.get(stream)?.content
    return content?.held.complete === true ? content.given : undefined
  }

  #reject(stream: number, first: number, count: number, reason: RejectReason): void {
    this.#say({ type: 'reject', stream, first, count, reason })
  }

  #close(stream: number): void {
    const opened = this.#streams.get(stream)
    opened?.stopHave()
    this.#streams.delete(stream)
    this.#fresh.delete(stream)
    this.#queue.close(stream)
    const others = [...this.#streams.values()]
    if (opened && others.every(({ content }) => content !== opened.content)) opened.content.given.leave(this)
  }
}

const NONE = new Uint8Array(0)

/** Hashes of blocks; undefined where not all are known. */
function leavesOf(tree: BlockTree, first: number, count: number): Uint8Array<ArrayBuffer> | undefined {
  const leaves = new Uint8Array(count * HASH_BYTES)
  for (let i = 0; i < count; i++) {
    const leaf = tree.node(0, first + i)
    if (leaf === undefined) return undefined
    leaves.set(leaf, i * HASH_BYTES)
  }
  return leaves
}
