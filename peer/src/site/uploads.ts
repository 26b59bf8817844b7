import type { Verified } from './object-shelf.js'
import type { Neighbour } from './neighbours.js'
import { sendWindow, type SendWindow } from './send-window.js'
import { proofOf, rootOf, toHex, type Levels } from './tree.js'
import {
  BLOCK_BYTES,
  BUSY,
  CANCEL,
  CANCELLED,
  CLOSE,
  DATA,
  DATA_BLOCKS,
  GET_HASHES,
  HASHES,
  HAVE,
  HEADER,
  NOT_FOUND,
  NOT_HELD,
  OPEN,
  PART,
  PROBE,
  REJECT,
  REPORT,
  REQUEST,
  RUN_BLOCKS,
  type Message,
  type encode,
  type read
} from './wire.js'

/** What can be served: the bytes are there, or they are read chunk by chunk. */
export interface Served {
  readonly bytes: { readonly length: number }
  /** The last level is there, and what proves the bytes that are there. */
  readonly levels: Levels
  /** What is held, as first block and number of blocks in turn; undefined: all. */
  have?(): number[] | undefined
  /** The chunk with this block; undefined: it is being read, and `then` is called; null: it is not held. */
  chunkAt?(first: number, then: () => void): Chunk | null | undefined
}

/** Bytes of a content from the block `at` on. */
export interface Chunk extends Verified {
  readonly at?: number
}

/** What uploading needs of its owner. */
export interface UploadsHost {
  /** Of the part for objects, which is there. */
  readonly encode: typeof encode
  readonly read: typeof read
  /** An object that is held, or some of it; undefined: nothing is. */
  object(fullHash: string): Promise<Served | undefined>
  /** Neighbours that are served at a time. */
  readonly slots: number
  /** False: nothing may be uploaded now. */
  mayUpload(): boolean
  /** Takes bytes from what may be uploaded. Gives the milliseconds to wait before asking again; 0: they are taken. */
  take(bytes: number): number
  /** Bytes of an object have been given. */
  gave(fullHash: string, bytes: number): void
}

/** Streams that one neighbour may have open, and runs that may be queued for it. */
const MAX_STREAMS = 256
/** Whoever was served so long ago may still ask for more. */
const SLOT_MS = 2_000
/** Whoever would have to wait longer is sent away. */
const MOST_WAIT_MS = 5_000

interface Run {
  readonly stream: number
  readonly fullHash: string
  readonly object: Served
  readonly level: number
  first: number
  count: number
  /** Bytes of the blocks that come next which went ahead in parts. */
  ahead: number
}

export interface Client {
  readonly streams: Map<number, { fullHash: string; object: Served | undefined }>
  readonly window: SendWindow
  queue: Run[]
  servedAt: number
}

export interface Uploads {
  /** Takes what a requester sends; false: it is another kind of message. Throws where it is malformed. */
  receive(neighbour: Neighbour, message: Message): boolean
  /** Something may be sent again. */
  readonly pump: () => void
  /** Who is served, with what. */
  readonly clients: ReadonlyMap<Neighbour, Client>
  gone(neighbour: Neighbour): void
  /** Bytes have come from others. */
  received(bytes: number): void
  /** Something is left to give. */
  hasRoom(): boolean
}

/** Serves whole objects to neighbours: each in the order of its requests, all of them in turn. */
export function uploads(host: UploadsHost): Omit<Uploads, 'received' | 'hasRoom'> {
  const { encode, read } = host
  const clients = new Map<Neighbour, Client>()
  let waiting: ReturnType<typeof setTimeout> | undefined

  const reject = (
    to: Neighbour,
    ...fields: [stream: number, first: number, count: number, reason: number]
  ): void => to.send(encode(REJECT, ...fields), 'control')

  const open = async (
    to: Neighbour,
    client: Client,
    stream: number,
    fields: readonly [string, number, number]
  ) => {
    const [fullHash, first, count] = fields
    const isBusy = client.streams.size >= MAX_STREAMS || !host.mayUpload()
    if (isBusy || client.streams.has(stream)) return reject(to, stream, 0, 0, BUSY)
    const opened: { fullHash: string; object: Served | undefined } = { fullHash, object: undefined }
    client.streams.set(stream, opened)
    const object = await host.object(fullHash)
    if (client.streams.get(stream) !== opened) return
    if (!object) {
      client.streams.delete(stream)
      return reject(to, stream, 0, 0, NOT_FOUND)
    }
    opened.object = object
    const have = object.have?.()
    to.send(encode(HEADER, stream, have ? 0 : 1, object.bytes.length, rootOf(object.levels)), 'control')
    if (have) to.send(encode(HAVE, stream, have.length / 2, ...have), 'control')
    const blocks = blocksOf(object)
    if (first < blocks && count > 0)
      request(to, client, stream, { first, count: Math.min(count, blocks - first), level: 63 })
  }
  const request = (
    to: Neighbour,
    client: Client,
    stream: number,
    run: { readonly first: number; readonly count: number; readonly level: number }
  ): void => {
    const { fullHash = '', object } = client.streams.get(stream) ?? {}
    const { first, count } = run
    if (!object) return
    if (count === 0 || first + count > blocksOf(object)) return reject(to, stream, first, count, NOT_HELD)
    const served = [...clients.values()].filter(
      other => other !== client && performance.now() - other.servedAt < SLOT_MS
    )
    const isFull = served.length >= host.slots || client.queue.length >= MAX_STREAMS
    if (isFull || count > RUN_BLOCKS || !host.mayUpload()) return reject(to, stream, first, count, BUSY)
    client.servedAt = performance.now()
    client.queue.push({ ...run, stream, fullHash, object, ahead: 0 })
    pump()
  }
  const cancel = (to: Neighbour, client: Client, stream: number): void => {
    for (const run of client.queue.filter(one => one.stream === stream && one.ahead === 0))
      reject(to, stream, run.first, run.count, CANCELLED)
    client.queue = client.queue.filter(one => one.stream !== stream || one.ahead > 0)
  }

  /** The bytes of a run, which is refused where they are gone. */
  const chunkOf = (to: Neighbour, client: Client, run: Run): Chunk | null | undefined => {
    const { stream, object, first, count } = run
    const chunk = object.chunkAt ? object.chunkAt(first, pump) : (object as Chunk)
    if (chunk === null) {
      client.queue.shift()
      reject(to, stream, first, count, NOT_HELD)
    }
    return chunk
  }
  /** Sends one message to one neighbour. False: nothing can be sent to it now. */
  const send = (to: Neighbour, client: Client): boolean => {
    const [run] = client.queue
    const { window } = client
    if (!run || to.buffered > 65_536 || (to.hasControl && !window.isOpen())) return false
    const { stream, first, level } = run
    const chunk = chunkOf(to, client, run)
    if (!chunk) return chunk === null
    const [bytes, count] = nextOf(chunk, run)
    const piece = to.hasControl ? bytes.subarray(0, window.piece) : bytes
    const waitMs = host.take(piece.length)
    if (waitMs > MOST_WAIT_MS) {
      for (const one of client.queue.splice(0)) reject(to, one.stream, one.first, one.count, BUSY)
    } else if (waitMs > 0) {
      clearTimeout(waiting)
      waiting = setTimeout(pump, waitMs)
    }
    if (waitMs > 0) return false
    client.servedAt = performance.now()
    host.gave(run.fullHash, piece.length)
    if (piece.length < bytes.length) {
      run.ahead += piece.length
      to.send(encode(PART, stream, first, piece))
    } else {
      const proof = proofOf(chunk.levels, first, count, level)
      to.send(encode(DATA, stream, first, proof.length, ...proof, piece))
      run.first += count
      run.count -= count
      run.ahead = 0
      if (run.count === 0) client.queue.shift()
    }
    const probe = to.hasControl ? window.sent(piece.length, performance.now()) : undefined
    if (probe) to.send(encode(PROBE, probe))
    return true
  }
  const pump = (): void => {
    let isBusy = true
    while (isBusy) {
      isBusy = false
      for (const [to, client] of clients) isBusy = send(to, client) || isBusy
    }
  }

  return {
    clients,
    pump,
    receive: (neighbour, message) => {
      const fields = read(message)
      const type = fields.number()
      const number = fields.number()
      const client = clients.get(neighbour) ?? {
        streams: new Map(),
        window: sendWindow(),
        queue: [],
        servedAt: -Infinity
      }
      clients.set(neighbour, client)
      if (type === REPORT) {
        client.window.reported(number, performance.now())
        pump()
      } else if (type === OPEN) {
        void open(neighbour, client, number, [toHex(fields.take(32)), fields.number(), fields.number()])
      } else if (type === REQUEST) {
        request(neighbour, client, number, {
          first: fields.number(),
          count: fields.number(),
          level: fields.number()
        })
      } else if (type === CANCEL) cancel(neighbour, client, number)
      else if (type === GET_HASHES) neighbour.send(encode(HASHES, number, fields.number(), 0, 0), 'control')
      else if (type === CLOSE) {
        client.streams.delete(number)
        client.queue = client.queue.filter(one => one.stream !== number)
      } else return false
      return true
    },
    gone: neighbour => clients.delete(neighbour)
  }
}

/** The bytes that come next of those that go in one message, and how many blocks those are. */
function nextOf({ bytes, at = 0 }: Chunk, { first, count, ahead }: Run): [Message, number] {
  const rest = bytes.subarray((first - at) * BLOCK_BYTES)
  const most = Math.min(DATA_BLOCKS, count, Math.ceil(rest.length / BLOCK_BYTES))
  return [rest.subarray(ahead, most * BLOCK_BYTES), most]
}

function blocksOf({ bytes }: Served): number {
  return Math.ceil(bytes.length / BLOCK_BYTES)
}
