import type { ChunkHost } from './chunks.js'
import type { Neighbour } from './neighbours.js'
import { blocksOf, bytesOf, type ChunkSizes } from './proved-tree.js'
import {
  BLOCK_BYTES,
  BUSY,
  CANCEL,
  CANCELLED,
  CLOSE,
  DATA,
  DATA_BLOCKS,
  HAVE,
  HEADER,
  OPEN,
  PART,
  REJECT,
  REQUEST,
  RUN_BLOCKS,
  START,
  type Message
} from './wire.js'

/** One chunk being fetched from one neighbour. */
export interface ChunkTransfer {
  readonly askedAt: number
  readonly heardAt: number
  readonly received: number
  /** It is wanted no more. */
  stop(): void
}

/** The stream of one content to one neighbour. */
export interface ChunkLink {
  readonly neighbour: Neighbour
  readonly asked: number
  readonly restsUntil: number
  readonly rate: number | undefined
  readonly heardAt: number
  /** It has nothing, or has gone. */
  readonly isOver: boolean
  /** It has said what it has. */
  readonly isKnown: boolean
  has(index: number): boolean
  /** `settled` is called once, unless the transfer was stopped; without bytes: it does not bring the chunk. */
  fetch(index: number, settled: (bytes: Message | undefined) => void): ChunkTransfer
  close(): void
}

interface Running {
  askedAt: number
  heardAt: number
  received: number
  readonly pieces: Map<number, Message>
  settled(bytes: Message | undefined): void
}

const BUSY_MS = 3_000
const LISTED_TYPES = [HEADER, HAVE, DATA, PART, REJECT, START]

/** Streams to neighbours for contents of which everybody may hold some chunks only. */
export function chunkLinks({
  encode,
  join,
  read,
  loads
}: Pick<ChunkHost, 'encode' | 'join' | 'read' | 'loads'>): {
  /** `changed`: something may be asked of it that could not before. */
  open(neighbour: Neighbour, key: Message, sizes: ChunkSizes, changed: () => void): ChunkLink
  /** False: it is about no stream of these. Throws where it is malformed or wrong. */
  receive(neighbour: Neighbour, message: Message): boolean
} {
  const links = new Map<number, ChunkLink & { receive(type: number, message: Message): void }>()

  const open = (neighbour: Neighbour, key: Message, sizes: ChunkSizes, changed: () => void): ChunkLink => {
    const { chunkBlocks, length, level } = sizes
    const number = loads.number()
    const blocks = Math.ceil(length / BLOCK_BYTES)
    const running = new Map<number, Running>()
    /** Blocks that it has of each chunk. */
    const held = new Map<number, number>()
    let parts: Message[] = []
    let partsOf = -1
    let isComplete = false
    let isKnown = false

    const send = (...fields: readonly (number | Uint8Array)[]): void =>
      neighbour.send(encode(...fields), 'control')
    const settle = (index: number, bytes?: Message): void => {
      const one = running.get(index)
      running.delete(index)
      one?.settled(bytes)
    }
    const learn = (first: number, count: number): void => {
      if (first + count > blocks) throw new RangeError()
      while (count > 0) {
        const index = Math.floor(first / chunkBlocks)
        const some = Math.min(count, (index + 1) * chunkBlocks - first)
        const all = (held.get(index) ?? 0) + some
        // Told twice: that could be kept up for ever.
        if (all > blocksOf(sizes, index)) throw new RangeError()
        held.set(index, all)
        first += some
        count -= some
      }
    }
    const take = (first: number, bytes: Message): void => {
      const index = Math.floor(first / chunkBlocks)
      const one = running.get(index)
      // It was wanted when it was asked for.
      if (!one || one.pieces.has(first)) return
      one.pieces.set(first, bytes)
      one.received += bytes.length
      const most = bytesOf(sizes, index)
      if (one.received > most) throw new RangeError()
      if (one.received < most) return
      link.rate = one.received / Math.max(1, one.heardAt - one.askedAt)
      settle(index, join([...one.pieces].sort(([a], [b]) => a - b).map(([, piece]) => piece)))
    }
    /** Of the chunk with this block. Those behind it have not had their turn. */
    const heard = (first: number): void => {
      const { heardAt } = link
      for (const [index, one] of running) {
        if (index === Math.floor(first / chunkBlocks)) one.heardAt = heardAt
        else if (one.received === 0) one.askedAt = heardAt
      }
    }
    const refuse = (first: number, count: number, reason: number): void => {
      if (reason === CANCELLED) return
      if (reason === BUSY) link.restsUntil = performance.now() + BUSY_MS
      if (count === 0) return end()
      const index = Math.floor(first / chunkBlocks)
      if (reason !== BUSY) held.delete(index)
      settle(index)
    }
    const end = (): void => {
      if (!links.delete(number)) return
      link.isOver = true
      for (const index of [...running.keys()]) settle(index)
      changed()
    }
    const link = {
      neighbour,
      restsUntil: 0,
      rate: undefined as number | undefined,
      heardAt: -Infinity,
      isOver: false,
      get asked() {
        return running.size
      },
      get isKnown() {
        return isKnown
      },
      has: (index: number) => isKnown && (isComplete || held.get(index) === blocksOf(sizes, index)),
      fetch: (index: number, settled: Running['settled']): ChunkTransfer => {
        const one = {
          askedAt: performance.now(),
          heardAt: -Infinity,
          received: 0,
          pieces: new Map(),
          settled
        }
        running.set(index, one)
        const first = index * chunkBlocks
        for (let at = 0; at < blocksOf(sizes, index); at += RUN_BLOCKS)
          send(REQUEST, number, first + at, Math.min(RUN_BLOCKS, blocksOf(sizes, index) - at), level)
        return Object.assign(one, {
          stop: () => {
            if (running.delete(index)) send(CANCEL, number, first, blocksOf(sizes, index))
          }
        })
      },
      close: () => {
        if (!link.isOver) send(CLOSE, number)
        end()
      },
      receive: (type: number, message: Message): void => {
        const fields = read(message)
        fields.number()
        fields.number()
        link.heardAt = performance.now()
        if (type === HEADER) {
          if (isKnown) throw new RangeError()
          isComplete = fields.number() === 1
          if (fields.number() !== length) throw new RangeError()
          isKnown = true
          changed()
        } else if (type === HAVE) {
          for (let runs = fields.number(); runs > 0; runs--) learn(fields.number(), fields.number())
          changed()
        } else if (type === REJECT) refuse(fields.number(), fields.number(), fields.number())
        else {
          const first = fields.number()
          heard(first)
          if (type === START) throw new RangeError()
          if (type === DATA) fields.take(32 * fields.number())
          // Parts of another run: the one before is given up.
          if (first !== partsOf) parts = []
          partsOf = first
          parts.push(fields.rest().slice())
          const bytes = type === DATA || parts.length > RUN_BLOCKS ? join(parts) : undefined
          if (!bytes) return
          parts = []
          if (bytes.length > DATA_BLOCKS * BLOCK_BYTES) throw new RangeError()
          take(first, bytes)
        }
      }
    }
    links.set(number, link)
    send(OPEN, number, key, 0, 0)
    return link
  }

  return {
    open,
    receive: (neighbour, message) => {
      const fields = read(message)
      const type = fields.number()
      const link = LISTED_TYPES.includes(type) ? links.get(fields.number()) : undefined
      if (link?.neighbour !== neighbour) return false
      link.receive(type, message)
      return true
    }
  }
}
