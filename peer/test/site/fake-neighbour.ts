import type { Neighbour } from '../../src/site/neighbours.js'
import { levelsOf, rootOf } from '../../src/site/tree.js'
import {
  BUSY,
  DATA,
  DATA_BLOCKS,
  BLOCK_BYTES,
  HAVE,
  HEADER,
  NOT_FOUND,
  NOT_HELD,
  OPEN,
  PART,
  REJECT,
  REQUEST,
  encode,
  read,
  type Message
} from '../../src/site/wire.js'
import { MIB, type LongContent } from './long-content.js'

/** How it answers. */
export type Behaviour =
  | 'honest'
  /** In parts of 10,000 bytes. */
  | 'parts'
  /** Says that it has everything, and brings nothing. */
  | 'silent'
  /** Does not even answer `open`. */
  | 'mute'
  /** One bit of each chunk is another. */
  | 'flips'
  /** Brings the bytes of the chunk before, or of the last one for the first. */
  | 'otherChunk'
  /** Each message with bytes comes twice. */
  | 'twice'
  /** The last message of a chunk is one byte short, or has one too many. */
  | 'short'
  | 'long'
  /** Says that the content has another length. */
  | 'otherLength'
  | 'headerTwice'
  | 'haveTwice'
  /** Sends what is no message. */
  | 'malformed'
  | 'busy'
  | 'hasNothing'
  | 'refuses'

/** A neighbour that serves one content over the wire protocol, as `behaviour` says. */
export interface FakeNeighbour extends Neighbour {
  isOpen: boolean
  behaviour: Behaviour
  /** Chunks it says it has; undefined: all. */
  held: number[] | undefined
  /** Types of messages that came to it. */
  readonly heard: number[]
  /** Chunks it was asked for. */
  readonly asked: number[]
  /** Tells of one more chunk. */
  tell(index: number): void
}

export async function fakeNeighbour(
  name: string,
  content: LongContent,
  deliver: (neighbour: FakeNeighbour, message: Message) => void
): Promise<FakeNeighbour> {
  const { bytes } = content
  const root = rootOf(await levelsOf(bytes))
  const blocks = Math.ceil(bytes.length / BLOCK_BYTES)
  let stream = -1
  const say = (message: Message): void =>
    void setImmediate(() => {
      if (one.isOpen) deliver(one, message)
    })
  const runOf = (index: number): [number, number] => [index * 64, Math.min(64, blocks - index * 64)]

  const opened = (): void => {
    const { behaviour, held } = one
    if (behaviour === 'mute') return
    if (behaviour === 'malformed') return say(Uint8Array.of(HEADER, stream, 1))
    if (behaviour === 'hasNothing') return say(encode(REJECT, stream, 0, 0, NOT_FOUND))
    const length = bytes.length + (behaviour === 'otherLength' ? 1 : 0)
    for (let i = 0; i < (behaviour === 'headerTwice' ? 2 : 1); i++)
      say(encode(HEADER, stream, held ? 0 : 1, length, root))
    for (const index of held ?? []) one.tell(index)
    if (behaviour === 'haveTwice') one.tell(held?.[0] ?? 0)
  }
  const requested = (first: number, count: number): void => {
    const { behaviour } = one
    one.asked.push(first / 64)
    if (behaviour === 'silent') return
    if (behaviour === 'busy') return say(encode(REJECT, stream, first, count, BUSY))
    if (behaviour === 'refuses') return say(encode(REJECT, stream, first, count, NOT_HELD))
    const from = first * BLOCK_BYTES + (behaviour !== 'otherChunk' ? 0 : first === 0 ? MIB : -MIB)
    for (let at = 0; at < count; at += DATA_BLOCKS) {
      const end = from + Math.min(at + DATA_BLOCKS, count) * BLOCK_BYTES
      const piece = bytes.slice(from + at * BLOCK_BYTES, end)
      sayPiece(first + at, at + DATA_BLOCKS < count ? piece : spoilt(piece, behaviour))
    }
  }
  const sayPiece = (first: number, piece: Message): void => {
    const { behaviour } = one
    const most = behaviour === 'parts' ? 10_000 : piece.length
    let done = 0
    for (; piece.length - done > most; done += most)
      say(encode(PART, stream, first, piece.slice(done, done + most)))
    for (let i = 0; i < (behaviour === 'twice' ? 2 : 1); i++)
      say(encode(DATA, stream, first, 1, new Uint8Array(32), piece.slice(done)))
  }
  const one: FakeNeighbour = {
    peerId: name.padEnd(40, '0'),
    mediatorId: 'a'.repeat(64),
    isOpen: true,
    hasControl: true,
    buffered: 0,
    activeAt: 0,
    behaviour: 'honest',
    held: undefined,
    heard: [],
    asked: [],
    tell: index => say(encode(HAVE, stream, 1, ...runOf(index))),
    send: message => {
      const fields = read(message)
      const type = fields.number()
      one.heard.push(type)
      const number = fields.number()
      if (type === OPEN) {
        stream = number
        opened()
      } else if (type === REQUEST) requested(fields.number(), fields.number())
    },
    close: () => (one.isOpen = false)
  }
  return one
}

/** The last message of a chunk, as a liar sends it. */
function spoilt(piece: Message, behaviour: Behaviour): Message {
  if (behaviour === 'flips') piece[3]! ^= 1
  if (behaviour === 'short') return piece.slice(0, -1)
  return behaviour === 'long' ? Uint8Array.of(...piece, 1) : piece
}
