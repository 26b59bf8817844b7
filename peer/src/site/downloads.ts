import type { Neighbour } from './neighbours.js'
import type { ObjectShelf, Verified } from './object-shelf.js'
import { fromHex } from './tree.js'
import {
  BLOCK_BYTES,
  BUSY,
  CLOSE,
  DATA,
  HEADER,
  OPEN,
  PART,
  PROBE,
  REJECT,
  REPORT,
  REQUEST,
  RUN_BLOCKS,
  START,
  encode,
  join,
  read,
  type Message,
  type Reader
} from './wire.js'

/** Why a neighbour did not bring an object: it does not have it; it has no time; it is gone or was too slow; it lied. */
export type Failure = 'missing' | 'busy' | 'lost' | 'wrong'

/** One object being fetched from one neighbour. */
export interface Transfer {
  readonly done: Promise<Verified | Failure>
  /** When it was last heard of, and bytes so far. */
  readonly heardAt: number
  readonly received: number
  /** From asking to the first word. */
  readonly firstMs: number | undefined
  /** It is wanted no more. */
  stop(): void
}

interface Stream {
  readonly neighbour: Neighbour
  readonly fullHash: string
  /** Bytes at most. */
  readonly most: number
  /** Pieces by their first block, as they came. */
  readonly pieces: Map<number, Message>
  /** Bytes of parts that belong in front of the next `data`. */
  parts: Message[]
  length: number | undefined
  root: Message | undefined
  asked: number
  received: number
  readonly askedAt: number
  heardAt: number
  firstMs: number | undefined
  settle(result: Verified | Failure): void
}

/** Longer objects are streamed: they are not held in memory whole. */
export const MAX_OBJECT_BYTES = 16_777_216

/** Fetches whole objects from neighbours; each is verified as a whole, so its bytes come from one of them. */
export function downloads(verify: ObjectShelf['verify']): {
  /** `most`: bytes that it has at most. */
  fetch(neighbour: Neighbour, fullHash: string, most?: number): Transfer
  /** Takes what a server sends; false: it is another kind of message. Throws where it is malformed or was not asked for. */
  receive(neighbour: Neighbour, message: Message): boolean
  gone(neighbour: Neighbour): void
  /** The number of another stream. */
  number(): number
} {
  const streams = new Map<string, Stream>()
  let next = 0
  const keyOf = ({ peerId, mediatorId }: Neighbour, number: number): string =>
    `${peerId}${mediatorId}${number}`

  const more = (number: number, stream: Stream): void => {
    const blocks = Math.ceil((stream.length ?? 0) / BLOCK_BYTES)
    const most = stream.received / BLOCK_BYTES + RUN_BLOCKS
    if (stream.asked >= blocks || stream.asked + RUN_BLOCKS / 2 > most) return
    const count = Math.min(blocks - stream.asked, RUN_BLOCKS)
    stream.neighbour.send(encode(REQUEST, number, stream.asked, count, 63), 'control')
    stream.asked += count
  }
  const header = (fields: Reader, stream: Stream): void => {
    const isComplete = fields.number() === 1
    if (stream.length !== undefined) throw new RangeError()
    stream.length = fields.number()
    stream.root = fields.take(32).slice()
    // Who still fetches it has too little to be worth a second turn.
    if (!isComplete || stream.length > stream.most) stream.settle('missing')
  }
  const data = (fields: Reader, stream: Stream): void => {
    const first = fields.number()
    fields.take(32 * fields.number())
    const bytes = join([...stream.parts, fields.rest()])
    stream.parts = []
    if (first >= stream.asked || stream.pieces.has(first) || bytes.length === 0) throw new RangeError()
    stream.pieces.set(first, bytes)
    stream.received += bytes.length
  }
  const finish = async (stream: Stream): Promise<void> => {
    const { length, root, fullHash } = stream
    if (length === undefined || root === undefined || stream.received < length) return
    const bytes = join([...stream.pieces].sort(([a], [b]) => a - b).map(([, piece]) => piece))
    stream.settle((bytes.length === length && (await verify(fullHash, bytes))) || 'wrong')
  }

  return {
    fetch: (neighbour, fullHash, most = MAX_OBJECT_BYTES) => {
      const number = next++
      const key = keyOf(neighbour, number)
      let stream!: Stream
      const done = new Promise<Verified | Failure>(resolve => {
        stream = {
          neighbour,
          fullHash,
          most,
          pieces: new Map(),
          parts: [],
          length: undefined,
          root: undefined,
          asked: RUN_BLOCKS,
          received: 0,
          askedAt: performance.now(),
          heardAt: 0,
          firstMs: undefined,
          settle: result => {
            if (!streams.delete(key)) return
            neighbour.send(encode(CLOSE, number), 'control')
            resolve(result)
          }
        }
      })
      streams.set(key, stream)
      neighbour.send(encode(OPEN, number, fromHex(fullHash), 0, RUN_BLOCKS), 'control')
      return {
        done,
        get heardAt() {
          return stream.heardAt || stream.askedAt
        },
        get firstMs() {
          return stream.firstMs
        },
        get received() {
          return stream.received
        },
        stop: () => stream.settle('lost')
      }
    },
    receive: (neighbour, message) => {
      const fields = read(message)
      const type = fields.number()
      if (type === PROBE) {
        neighbour.send(encode(REPORT, fields.number(), Math.round(performance.now() * 10)), 'control')
        return true
      }
      if (![HEADER, DATA, REJECT, PART, START].includes(type)) return false
      const number = fields.number()
      const stream = streams.get(keyOf(neighbour, number))
      // What was on its way when its stream was closed.
      if (!stream) return true
      stream.heardAt = performance.now()
      stream.firstMs ??= stream.heardAt - stream.askedAt
      if (type === REJECT) {
        fields.number()
        fields.number()
        stream.settle(fields.number() === BUSY ? 'busy' : 'missing')
        return true
      }
      if (type === PART) {
        fields.number()
        stream.parts.push(fields.rest().slice())
        if (stream.parts.length > RUN_BLOCKS) throw new RangeError()
        return true
      }
      if (type === HEADER || type === START) header(fields, stream)
      if (type === DATA || type === START) data(fields, stream)
      if (stream.length !== undefined) more(number, stream)
      void finish(stream)
      return true
    },
    number: () => next++,
    gone: neighbour => {
      for (const stream of [...streams.values()]) if (stream.neighbour === neighbour) stream.settle('lost')
    }
  }
}
