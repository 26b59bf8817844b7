import {
  BLOCK_BYTES,
  FullHashBuilder,
  MAX_DATA_BLOCKS,
  MAX_WIRE_MESSAGE_BYTES,
  type BlockTree,
  type Data,
  type FullHash,
  type Header,
  type ServerMessage,
  type WireMessage
} from '@mayfly/common'
import { nodeHasher } from '../src/adapters/node-hasher.js'
import type { MayflyErrorCode } from '../src/api.js'
import type { Line, Script } from './scripted-peer.js'

/** A content with its tree, to answer from. */
export interface KnownContent {
  readonly fullHash: FullHash
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly tree: BlockTree
}

export async function knownContent(bytes: Uint8Array<ArrayBuffer>): Promise<KnownContent> {
  const builder = new FullHashBuilder(nodeHasher)
  await builder.update(bytes)
  return { bytes, ...(await builder.finish()) }
}

/** What an honest peer that has all of `content` answers to a message. */
export function honestAnswers(content: KnownContent, message: WireMessage): ServerMessage[] {
  if (message.type !== 'open' && message.type !== 'request') return []
  const { stream } = message
  const { tree, bytes } = content
  const { length, piecesRoot, blockCount, height } = tree
  const level = message.type === 'open' ? height : message.level
  const answers: ServerMessage[] = []
  if (message.type === 'open') answers.push({ type: 'header', stream, length, piecesRoot, complete: true })
  const end = Math.min(message.first + message.count, blockCount)
  for (let first = message.first; first < end; first += MAX_DATA_BLOCKS) {
    const count = Math.min(MAX_DATA_BLOCKS, end - first)
    const proof = tree.proof(first, count, level) ?? new Uint8Array(0)
    const data = bytes.slice(first * BLOCK_BYTES, (first + count) * BLOCK_BYTES)
    answers.push({ type: 'data', stream, first, proof, bytes: data })
  }
  return answers
}

/** A lie: what it does, and what comes of it. */
export interface Lie {
  readonly script: Script
  /** The liar is dropped for good: one that only says nothing or refuses just leaves. */
  readonly isDropped: boolean
  /** How a download ends that meets nobody else. */
  readonly alone: MayflyErrorCode
}

/** Of these something is right, so that not all that was offered is wrong. */
const PARTLY_RIGHT = ['the right bytes for other blocks', 'all it was asked for, again and again']

/** Every way to lie that the tests know, by what it is. */
export function liesAbout(content: KnownContent, other: KnownContent): Readonly<Record<string, Lie>> {
  const twist = (change: (answer: ServerMessage, line: Line) => ServerMessage | undefined): Script => ({
    heard: (message, line) => {
      for (const answer of honestAnswers(content, message)) {
        const twisted = change(answer, line)
        if (twisted !== undefined) line.say(twisted)
      }
    }
  })
  const header = (change: (header: Header) => Header): Script =>
    twist(answer => (answer.type === 'header' ? change(answer) : answer))
  const data = (change: (data: Data, line: Line) => ServerMessage | undefined): Script =>
    twist((answer, line) => (answer.type === 'data' ? change(answer, line) : answer))
  const afterHeader = (then: (stream: number, line: Line) => void): Script =>
    twist((answer, line) => {
      if (answer.type !== 'header') return undefined
      line.say({ ...answer, complete: false })
      then(answer.stream, line)
      return undefined
    })
  const { blockCount } = content.tree
  const dropped: Record<string, Script> = {
    'wrong bytes': data(answer => ({ ...answer, bytes: flipped(answer.bytes, 100) })),
    'one wrong bit in the last byte': data(answer => ({
      ...answer,
      bytes: flipped(answer.bytes, answer.bytes.length - 1)
    })),
    'a wrong proof': data(answer => ({ ...answer, proof: flipped(answer.proof, 3) })),
    'too few bytes': data(answer => ({ ...answer, bytes: answer.bytes.slice(1) })),
    'the right bytes for other blocks': data(answer => ({ ...answer, first: 0 })),
    'a wrong root': header(answer => ({ ...answer, piecesRoot: flipped(answer.piecesRoot, 0) })),
    'a wrong length': header(answer => ({ ...answer, length: answer.length + 1 })),
    'the largest length': header(answer => ({ ...answer, length: Number.MAX_SAFE_INTEGER })),
    'a length of 2^63': {
      heard: (message, line) => {
        if (message.type === 'open') line.raw(headerOfLength63(message.stream, content.tree.piecesRoot))
      }
    },
    'another content under this hash': {
      heard: (message, line) => honestAnswers(other, message).forEach(answer => line.say(answer))
    },
    'the blocks of another content behind the right header': {
      heard: (message, line) => {
        const [right] = honestAnswers(content, message)
        const wrong = honestAnswers(other, message).filter(({ type }) => type === 'data')
        for (const answer of right?.type === 'header' ? [right, ...wrong] : wrong) line.say(answer)
      }
    },
    'more blocks before the header than anyone asks for': twist((answer, line) => {
      if (answer.type === 'data') for (let i = 0; i < 17; i++) line.say(answer)
      return undefined
    }),
    'parts of more than a run': afterHeader((stream, line) => {
      for (let i = 0; i < 4; i++)
        line.say({ type: 'part', stream, first: 0, bytes: new Uint8Array(BLOCK_BYTES) })
    }),
    'two headers': twist((answer, line) => {
      if (answer.type === 'header') line.say(answer)
      return answer
    }),
    'blocks that nobody asked for': afterHeader((stream, line) => {
      line.say({ ...(honestAnswers(content, whole(stream)).at(-1) as Data) })
    }),
    'all it was asked for, again and again': data((answer, line) => {
      line.say(answer)
      return answer
    }),
    'blocks that do not exist': afterHeader((stream, line) =>
      line.say({ type: 'have', stream, runs: [[blockCount, 1]] })
    ),
    'the same blocks for ever': afterHeader((stream, line) => {
      for (let i = 0; i < 100; i++) line.say({ type: 'have', stream, runs: [[0, blockCount]] })
    }),
    'that it has all, and refuses': twist(answer =>
      answer.type === 'data'
        ? { type: 'reject', stream: answer.stream, first: answer.first, count: 4, reason: 'not_held' }
        : answer
    ),
    'a malformed message': { opened: line => line.raw(new Uint8Array([5])) },
    'an empty message': { opened: line => line.raw(new Uint8Array(0)) },
    'a huge message': { opened: line => line.raw(new Uint8Array(MAX_WIRE_MESSAGE_BYTES + 1).fill(7)) },
    'answers on streams that nobody opened': {
      opened: line => line.say({ type: 'reject', stream: 77, first: 0, count: 0, reason: 'busy' })
    },
    'more small messages than anyone can mean': {
      opened: line => {
        for (let i = 0; i < 9_000; i++) line.say({ type: 'close', stream: i })
      }
    },
    'messages of an unknown type for ever': {
      opened: line => {
        for (let i = 0; i < 9_000; i++) line.raw(new Uint8Array([200, 1, 2, 3]))
      }
    }
  }
  const left: Record<string, Script> = {
    nothing: {},
    'blocks, and never a header': twist(answer => (answer.type === 'data' ? answer : undefined)),
    'its header, and then nothing': afterHeader(() => {}),
    'the right header, that it has all, and then nothing': data(() => undefined),
    'that it has it not': {
      heard: (message, line) => {
        if (message.type !== 'open') return
        const { stream } = message
        line.say({ type: 'reject', stream, first: 0, count: 0, reason: 'not_found' })
      }
    },
    'that it took every request back': twist(answer =>
      answer.type === 'data'
        ? { type: 'reject', stream: answer.stream, first: answer.first, count: 4, reason: 'cancelled' }
        : answer
    ),
    'that it is busy, always': twist(answer =>
      answer.type === 'data'
        ? { type: 'reject', stream: answer.stream, first: answer.first, count: 4, reason: 'busy' }
        : answer
    ),
    goodbye: { heard: (_, line) => line.channel.close('goodbye') }
  }
  const all: Record<string, Lie> = {}
  for (const [name, script] of Object.entries(dropped)) {
    all[name] = { script, isDropped: true, alone: PARTLY_RIGHT.includes(name) ? 'peers_lost' : 'wrong_bytes' }
  }
  for (const [name, script] of Object.entries(left)) {
    all[name] = {
      script,
      isDropped: false,
      alone: name === 'that it has it not' ? 'no_seeder' : 'peers_lost'
    }
  }
  return all
}

/** The same without a content, to name the tests after; their scripts cannot be used. */
export function liesAboutNothing(): readonly (readonly [name: string, lie: Lie])[] {
  const nothing = { tree: { blockCount: 0 }, bytes: new Uint8Array(0) } as unknown as KnownContent
  return Object.entries(liesAbout(nothing, nothing))
}

function whole(stream: number): WireMessage {
  return { type: 'open', stream, fullHash: '' as FullHash, first: 0, count: Number.MAX_SAFE_INTEGER }
}

function flipped(bytes: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte))
}

/** No encoder of ours writes such a length. */
function headerOfLength63(stream: number, piecesRoot: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]
  return new Uint8Array([5, stream, 1, ...length, ...piecesRoot])
}
