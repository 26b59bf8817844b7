import type { ChunkHost } from './chunks.js'
import {
  MAX_SIDECAR,
  blocksOf,
  bytesOf,
  raised,
  readSidecar,
  type ChunkSizes,
  type ProvedTree
} from './proved-tree.js'
import type { Levels } from './tree.js'
import type { Chunk, Served } from './uploads.js'
import { HAVE, type Message } from './wire.js'

/** A content of which chunks may be held. */
export interface HeldContent {
  readonly fullHash: string
  readonly sizes: ChunkSizes
  readonly tree: Promise<ProvedTree | undefined>
  readonly held: Set<number>
}

/** The chunks that are held, in the store and the last ones in memory: verified whenever they are shown or served. */
export interface ChunkShelf {
  /** By the sidecar of the site, or without `url` by that in the store; undefined: there is none, or a wrong one. */
  treeOf(fullHash: string, url?: string): ReturnType<typeof readSidecar>
  /** What is held as an object, and not in chunks. */
  whole(fullHash: string): Promise<Message | undefined>
  verify(content: HeldContent, index: number, bytes: Message): Promise<Chunk | undefined>
  stored(content: HeldContent, index: number): Promise<Chunk | undefined> | Chunk
  /** Keeps a chunk, which has verified, and tells others. Settles when there is room for more. */
  hold(content: HeldContent, index: number, chunk: Chunk): Promise<void>
  /** What is held of a content, to be served. */
  served(content: HeldContent, tree: ProvedTree): Served
}

/** Chunks in memory for serving. */
const MAX_READY = 8
/** Chunks that may wait to be written. */
const MAX_WRITES = 8
const MAX_HAVE_RUNS = 256
/** The sidecar of a content is there by then, or it has none. */
const SIDECAR_MS = 10_000

export function chunkShelf(host: ChunkHost): ChunkShelf {
  const { encode, fullHashOf, levelsOf, store, toHex } = host
  const ready = new Map<string, Promise<Chunk | undefined> | Chunk>()
  /** The last object, which is read chunk by chunk. */
  let last: { readonly fullHash: string; readonly bytes: Message } | undefined
  let writes = 0
  let writing: Promise<void> = Promise.resolve()

  /** The tree by the sidecar of the site, or that in the store; undefined: there is none, or a wrong one. */
  const treeOf = async (fullHash: string, url?: string): ReturnType<typeof readSidecar> => {
    const key = `${fullHash}/s`
    try {
      const buffer = url === undefined ? await store.get(key) : await fetchAtMost(url, MAX_SIDECAR)
      const tree = buffer && (await readSidecar(host, new Uint8Array(buffer), fullHash))
      if (tree && url !== undefined) await store.put(key, new Uint8Array(buffer))
      return tree
    } catch {
      return undefined
    }
  }

  const whole = async (fullHash: string): Promise<Message | undefined> => {
    if (last?.fullHash === fullHash) return last.bytes
    const buffer = await store.get(fullHash)
    const bytes = buffer && new Uint8Array(buffer)
    const root = bytes && (await levelsOf(bytes)).at(-1)?.[0]
    if (!root || (await fullHashOf(root, bytes.length)) !== fullHash) return undefined
    last = { fullHash, bytes }
    return bytes
  }
  const verify = async (
    { tree, sizes }: HeldContent,
    index: number,
    bytes: Message
  ): Promise<Chunk | undefined> => {
    const local = await raised(host, await levelsOf(bytes), sizes.level)
    const { levels = [] } = (await tree) ?? {}
    const hash = levels[sizes.level]?.[index]
    if (
      !hash ||
      bytes.length !== bytesOf(sizes, index) ||
      toHex(local.at(-1)?.[0] ?? hash.slice(1)) !== toHex(hash)
    )
      return undefined
    const at = index * sizes.chunkBlocks
    return {
      bytes,
      at,
      levels: levels.map((hashes, level) =>
        level < sizes.level ? shifted(local[level], at / 2 ** level) : hashes
      )
    }
  }
  const remember = (key: string, chunk: Promise<Chunk | undefined> | Chunk): void => {
    ready.delete(key)
    ready.set(key, chunk)
    const [oldest] = ready.keys()
    if (ready.size > MAX_READY && oldest !== undefined) ready.delete(oldest)
  }
  /** A chunk of the store, verified: a bit may have turned on the disk. */
  const stored = (content: HeldContent, index: number): Promise<Chunk | undefined> | Chunk => {
    const key = `${content.fullHash}/${index}`
    const known = ready.get(key)
    if (known) return known
    const reading = (async () => {
      const buffer = await store.get(key)
      const chunk = buffer && (await verify(content, index, new Uint8Array(buffer)))
      if (chunk) remember(key, chunk)
      else {
        ready.delete(key)
        content.held.delete(index)
        if (buffer) await store.remove(key)
      }
      return chunk
    })()
    remember(key, reading)
    return reading
  }
  /** Those who have asked for it before may want what has come since. */
  const tellMore = ({ fullHash, sizes }: HeldContent, index: number): void => {
    for (const [to, { streams }] of host.serves.clients)
      for (const [stream, one] of streams)
        if (one.object && one.fullHash === fullHash)
          to.send(encode(HAVE, stream, 1, index * sizes.chunkBlocks, blocksOf(sizes, index)), 'control')
  }
  const served = (content: HeldContent, { levels }: ProvedTree): Served => {
    const { sizes, held } = content
    const { chunkBlocks, count } = sizes
    return {
      bytes: sizes,
      levels,
      have: () => {
        if (held.size === count) return undefined
        const runs: number[] = []
        for (const index of [...held].sort((a, b) => a - b)) {
          const first = index * chunkBlocks
          const blocks = blocksOf(sizes, index)
          const end = (runs.at(-2) ?? 0) + (runs.at(-1) ?? 0)
          if (runs.length > 0 && end === first) runs.push((runs.pop() ?? 0) + blocks)
          else if (runs.length < 2 * MAX_HAVE_RUNS) runs.push(first, blocks)
        }
        return runs
      },
      chunkAt: (first, then) => {
        const index = Math.floor(first / chunkBlocks)
        if (!held.has(index)) return null
        const chunk = stored(content, index)
        if (!(chunk instanceof Promise)) return chunk
        void chunk.then(then)
        return undefined
      }
    }
  }

  return {
    treeOf,
    whole,
    verify,
    stored,
    hold: async (content, index, chunk) => {
      if (content.held.has(index)) return
      content.held.add(index)
      const key = `${content.fullHash}/${index}`
      remember(key, chunk)
      tellMore(content, index)
      writes++
      writing = writing
        .then(() => store.put(key, chunk.bytes))
        .then(() => {
          writes--
          host.announceSoon()
        })
      if (writes > MAX_WRITES) await writing
    },
    served
  }
}

/** The hashes at their places in the tree's level. */
function shifted(hashes: Levels[number] = [], at: number): Message[] {
  const level: Message[] = []
  for (const [i, hash] of hashes.entries()) level[at + i] = hash
  return level
}

/** Rejects as `fetch` does; undefined: it is not there, or longer. */
async function fetchAtMost(url: string, most: number): Promise<ArrayBuffer | undefined> {
  const { ok, body } = await fetch(url, { signal: AbortSignal.timeout(SIDECAR_MS) })
  if (!ok || !body) return undefined
  const parts: Uint8Array<ArrayBuffer>[] = []
  const reader = body.getReader()
  for (let length = 0; length <= most;) {
    const { done, value } = await reader.read()
    if (done) return new Blob(parts).arrayBuffer()
    parts.push(value)
    length += value.length
  }
  await reader.cancel()
  return undefined
}
