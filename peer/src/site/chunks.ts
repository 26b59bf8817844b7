import { chunkLinks, type ChunkLink, type ChunkTransfer } from './chunk-links.js'
import { chunkShelf, type HeldContent } from './chunk-shelf.js'
import { chunkOrigin, type ChunkOrigin } from './chunk-origin.js'
import { planChunk, type WantedChunk } from './chunk-plan.js'
import type { downloads } from './downloads.js'
import type { Mediator } from './mediator.js'
import type { Neighbour, Neighbours } from './neighbours.js'
import type { Brought, ObjectSource, Wish } from './object-session.js'
import { bytesOf, chunkSizesOf } from './proved-tree.js'
import type { Store } from './store.js'
import type { digest, fullHashOf, levelsOf, toHex } from './tree.js'
import type { Served, uploads } from './uploads.js'
import type { Message, encode, join, read } from './wire.js'

/** Which chunk of a content is wished for, and by whom. */
export interface ChunkWish {
  /** Undefined: this reader wants nothing any more. */
  readonly index: number | undefined
  /** URL of the sidecar. */
  readonly sidecar: string
  /** Names who reads. */
  readonly reader: string
  /** As in `Wish`, whose own is for the tab that is asked. */
  readonly patienceMs: number
  /** The reader has nothing else to give. */
  readonly isUrgent: boolean
}

/** What the session has in memory already. */
export interface ChunkHost {
  readonly digest: typeof digest
  readonly encode: typeof encode
  readonly fullHashOf: typeof fullHashOf
  readonly join: typeof join
  readonly levelsOf: typeof levelsOf
  readonly read: typeof read
  readonly toHex: typeof toHex
  readonly loads: Pick<ReturnType<typeof downloads>, 'number'>
  readonly serves: Pick<ReturnType<typeof uploads>, 'clients'>
  readonly neighbours: Pick<Neighbours, 'all' | 'drop'>
  readonly store: Store
  readonly mediator: Pick<Mediator, 'send'>
  received(bytes: number): void
  /** More is held than before. */
  announceSoon(): void
}

/** Chunks of long contents, for the session that all tabs share. */
export interface ChunkEngine {
  /**
   * The verified chunk of a wish; undefined: nobody has brought it, it cannot be verified, or it is wanted no more. Of a wish
   * for the whole content: what is held in chunks, where that is all of it.
   */
  bring(wish: Wish): Promise<Brought | undefined>
  /** What is held of a content, to be served. */
  object(fullHash: string): Promise<Served | undefined>
  /** False: the message is about something else. Throws where it is malformed. */
  receive(neighbour: Neighbour, message: Message): boolean
  isWanted(fullHash: unknown): boolean
}

interface Content extends HeldContent {
  readonly wanted: Map<number, Wanted>
  readonly links: Map<Neighbour, ChunkLink>
  readonly origin: ChunkOrigin | undefined
  lookedUpAt: number
  usedAt: number
}

interface Wanted {
  readonly bytes: number
  readonly wantedAt: number
  readonly tried: Set<Neighbour>
  readonly wishes: Set<{ readonly reader: string; settle(brought?: Brought): void }>
  isUrgent: boolean
  patienceMs: number
  transfer: ChunkTransfer | undefined
  origin: WantedChunk['origin']
}

const TICK_MS = 50
const LOOKUP_PAUSE_MS = 5_000
/** So long after a lookup further neighbours may come. */
const MEETING_MS = 3_000
/** Streams of a content that nobody reads are closed. */
const IDLE_MS = 60_000
const MAX_CONTENTS = 32

export function openChunks(host: ChunkHost): ChunkEngine {
  const { neighbours, store } = host
  const contents = new Map<string, Content>()
  const shelf = chunkShelf(host)
  const links = chunkLinks(host)
  let ticking: ReturnType<typeof setTimeout> | undefined

  /** The content of this hash; made where `url` or its sidecar in the store tells enough of it. */
  const contentOf = async (fullHash: string, wish?: Wish, sidecar?: string): Promise<Content | undefined> => {
    const keys = (await store.list()).filter(key => key.startsWith(`${fullHash}/`))
    const known = contents.get(fullHash)
    if (known && (known.origin || !wish)) return known
    const stored = keys.includes(`${fullHash}/s`) ? shelf.treeOf(fullHash) : undefined
    const length = wish?.length ?? (await stored)?.length
    if (length === undefined || contents.get(fullHash) !== known) return contents.get(fullHash)
    const sizes = chunkSizesOf(length)
    const isRight = (tree: Awaited<typeof stored>): typeof tree =>
      tree?.length === length ? tree : undefined
    const content: Content = {
      fullHash,
      sizes,
      tree: Promise.resolve(stored)
        .then(tree => tree ?? (sidecar === undefined ? undefined : shelf.treeOf(fullHash, sidecar)))
        .then(isRight),
      // Who is being served from it hears of what comes.
      held:
        known?.sizes.length === length
          ? known.held
          : new Set(keys.map(key => Number(key.slice(65))).filter(index => index < sizes.count)),
      wanted: new Map(),
      links: new Map(),
      origin:
        wish &&
        chunkOrigin(
          wish.url,
          sizes,
          () => [...content.wanted.keys()],
          (index, brought) => {
            if (typeof brought === 'object') {
              void arrived(content, index, brought, 'origin')
              return
            }
            const one = content.wanted.get(index)
            if (one) one.origin = brought
            run()
          }
        ),
      lookedUpAt: -Infinity,
      usedAt: performance.now()
    }
    contents.set(fullHash, content)
    const [oldest] = [...contents.values()].filter(one => one.wanted.size === 0)
    if (oldest && contents.size > MAX_CONTENTS) forget(oldest)
    void content.tree.then(tree => {
      if (!tree) forget(content)
    })
    return content
  }
  const forget = (content: Content): void => {
    if (contents.get(content.fullHash) === content) contents.delete(content.fullHash)
    for (const one of content.wanted.values()) for (const wish of one.wishes) wish.settle()
    content.wanted.clear()
    content.origin?.close()
    closeLinks(content)
  }
  const closeLinks = ({ links: all }: Content): void => {
    for (const link of all.values()) link.close()
    all.clear()
  }
  const arrived = async (
    content: Content,
    index: number,
    bytes: Message,
    from: Neighbour | 'origin'
  ): Promise<void> => {
    const chunk = await shelf.verify(content, index, bytes)
    const one = content.wanted.get(index)
    const source: ObjectSource = from === 'origin' ? from : 'peer'
    if (!chunk) {
      if (one && from !== 'origin') one.transfer = undefined
      // Without a tree nothing is known of it.
      if (from !== 'origin' && contents.get(content.fullHash) === content) neighbours.drop(from)
      else if (one) one.origin = 'odd'
      run()
      return
    }
    if (from !== 'origin') host.received(bytes.length)
    await shelf.hold(content, index, chunk)
    if (one) for (const wish of one.wishes) wish.settle({ bytes, source })
    drop(content, index)
    run()
  }
  /** A chunk is wanted no more. */
  const drop = (content: Content, index: number): void => {
    content.wanted.get(index)?.transfer?.stop()
    content.wanted.delete(index)
    content.origin?.changed()
  }

  const ask = (content: Content, index: number, one: Wanted, link: ChunkLink): void => {
    one.tried.add(link.neighbour)
    one.transfer = link.fetch(index, bytes => {
      if (bytes) {
        void arrived(content, index, bytes, link.neighbour)
        return
      }
      one.transfer = undefined
      if (!link.isOver && link.restsUntil > performance.now()) one.tried.delete(link.neighbour)
      run()
    })
  }
  const lookUp = (content: Content, now: number): void => {
    if (now - content.lookedUpAt < LOOKUP_PAUSE_MS) return
    content.lookedUpAt = now
    // Who had nothing may have something by now.
    for (const [neighbour, { isOver }] of content.links) if (isOver) content.links.delete(neighbour)
    host.mediator.send({ type: 'get_peers', fullHash: content.fullHash })
  }
  const advance = (content: Content, now: number): void => {
    if (content.wanted.size === 0) {
      if (now - content.usedAt > IDLE_MS) closeLinks(content)
      return
    }
    content.usedAt = now
    lookUp(content, now)
    for (const link of content.links.values()) if (!link.neighbour.isOpen) link.close()
    for (const neighbour of neighbours.all.values())
      if (neighbour.isOpen && !content.links.has(neighbour))
        content.links.set(neighbour, links.open(neighbour, fromHex(content.fullHash), content.sizes, runSoon))
    const mayCome = now - content.lookedUpAt < MEETING_MS
    // What is read next comes first.
    const order = [...content.wanted].sort(
      ([a, one], [b, other]) => Number(other.isUrgent) - Number(one.isUrgent) || a - b
    )
    for (const [index, one] of order) {
      const sources = [...content.links.values()].map(link => {
        const { neighbour, asked, restsUntil, rate, heardAt } = link
        const canBring = !link.isOver && link.has(index) && !one.tried.has(neighbour)
        return { link, asked, restsUntil, rate, heardAt, canBring, mayHave: !link.isOver && !link.isKnown }
      })
      const step = planChunk(one, sources, mayCome, now)
      if (step.ask) ask(content, index, one, step.ask.link)
      if (step.isOriginDue && content.origin?.canAsk) {
        one.origin = 'asked'
        content.origin.ask(index)
      }
      if (!step.isLost) continue
      for (const wish of one.wishes) wish.settle()
      drop(content, index)
    }
  }
  const run = (): void => {
    clearTimeout(ticking)
    const now = performance.now()
    for (const content of contents.values()) advance(content, now)
    const isBusy = [...contents.values()].some(({ wanted }) => wanted.size > 0)
    if (contents.size > 0) ticking = setTimeout(run, isBusy ? TICK_MS : IDLE_MS)
  }
  const runSoon = (): void => {
    clearTimeout(ticking)
    ticking = setTimeout(run)
  }

  const allOf = async (fullHash: string): Promise<Brought | undefined> => {
    const content = await contentOf(fullHash)
    const { count = 0 } = content?.sizes ?? {}
    if (!content || content.held.size < count) return undefined
    const parts: Message[] = []
    for (let index = 0; index < count; index++) {
      const chunk = await shelf.stored(content, index)
      if (!chunk) return undefined
      parts.push(chunk.bytes)
    }
    return { bytes: host.join(parts), source: 'cache' }
  }
  /** A reader wants nothing any more. */
  const leave = (fullHash: string, reader: string): void => {
    const content = contents.get(fullHash)
    for (const [index, { wishes }] of content?.wanted ?? []) {
      const mine = [...wishes].filter(one => one.reader === reader)
      for (const one of mine) one.settle()
      if (content && wishes.size === 0) drop(content, index)
    }
  }

  return {
    bring: async wish => {
      if (!wish.chunk) return allOf(wish.fullHash)
      const { index, sidecar, reader, patienceMs, isUrgent } = wish.chunk
      if (index === undefined) {
        leave(wish.fullHash, reader)
        return undefined
      }
      const whole = await shelf.whole(wish.fullHash)
      if (whole) {
        const { chunkBytes } = chunkSizesOf(whole.length)
        return { bytes: whole.slice(index * chunkBytes, (index + 1) * chunkBytes), source: 'cache' }
      }
      const content = await contentOf(wish.fullHash, wish, sidecar)
      if (!content || content.sizes.length !== wish.length || index >= content.sizes.count) return undefined
      const chunk = content.held.has(index) && (await shelf.stored(content, index))
      if (chunk) return { bytes: chunk.bytes, source: 'cache' }
      if (contents.get(wish.fullHash) !== content) return undefined
      return new Promise(resolve => {
        const one: Wanted = content.wanted.get(index) ?? {
          bytes: bytesOf(content.sizes, index),
          wantedAt: performance.now(),
          tried: new Set(),
          wishes: new Set(),
          isUrgent,
          patienceMs,
          transfer: undefined,
          origin: undefined
        }
        one.isUrgent ||= isUrgent
        one.patienceMs = Math.min(one.patienceMs, patienceMs)
        const mine = {
          reader,
          settle: (brought?: Brought) => {
            one.wishes.delete(mine)
            resolve(brought)
          }
        }
        one.wishes.add(mine)
        content.wanted.set(index, one)
        content.origin?.changed()
        run()
      })
    },
    object: async fullHash => {
      const content = await contentOf(fullHash)
      const tree = await content?.tree
      return content && tree && (content.held.size > 0 || content.wanted.size > 0)
        ? shelf.served(content, tree)
        : undefined
    },
    receive: (neighbour, message) => links.receive(neighbour, message),
    isWanted: fullHash => (contents.get(fullHash as string)?.wanted.size ?? 0) > 0
  }
}

function fromHex(hex: string): Message {
  return Uint8Array.from(hex.match(/../g) ?? [], pair => parseInt(pair, 16))
}
