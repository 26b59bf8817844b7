import {
  FullHashBuilder,
  blocksOf,
  MAX_DATA_BLOCKS,
  BLOCK_BYTES,
  type BlockRun,
  type BlockTree,
  type FullHash,
  type MediatorId,
  type PeerAddress,
  type PeerId,
  type RequesterMessage,
  type ServerMessage
} from '@mayfly/common'
import { nodeHasher } from '../../src/adapters/node-hasher.js'
import type { DownloadEffect } from '../../src/core/download-effect.js'
import { DownloadPlan, type DownloadPlanOptions } from '../../src/core/download-plan.js'

/** A content of `length` bytes whose blocks all differ. */
export async function contentOf(length: number) {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 14) * 7) & 0xff
  const builder = new FullHashBuilder(nodeHasher)
  await builder.update(bytes)
  const { fullHash, tree } = await builder.finish()
  return { bytes, fullHash, tree }
}

export type Content = Awaited<ReturnType<typeof contentOf>>

const MEDIATOR = 'f'.repeat(64) as MediatorId

export function address(name: string): PeerAddress {
  return { peerId: name.padEnd(40, '0') as PeerId, mediatorId: MEDIATOR }
}

/** What a simulated peer answers to a message, in order. */
export type Behaviour = (message: RequesterMessage, reply: (message: ServerMessage) => void) => void

interface Timed {
  at: number
  run(): DownloadEffect[]
}

/** Serves `content` as a good peer does. */
export function honest(content: Content): Behaviour {
  return (message, reply) => {
    const { stream } = message
    if (message.type === 'open') {
      const { length, piecesRoot } = content.tree
      reply({ type: 'header', stream, length, piecesRoot, complete: true })
    }
    if (message.type !== 'open' && message.type !== 'request') return
    const level = message.type === 'open' ? 63 : message.level
    const end = Math.min(message.first + message.count, content.tree.blockCount)
    for (let first = message.first; first < end; first += MAX_DATA_BLOCKS) {
      const count = Math.min(MAX_DATA_BLOCKS, end - first)
      const proof = content.tree.proof(first, count, level)!
      const bytes = content.bytes.slice(first * BLOCK_BYTES, (first + count) * BLOCK_BYTES)
      reply({ type: 'data', stream, first, proof, bytes })
    }
  }
}

/**
 * Drives a `DownloadPlan` against peers that are plain functions, in simulated time: every message takes
 * `delayMs`, and each peer sends `bytesPerMs`.
 */
export class PlanSimulation {
  readonly plan: DownloadPlan
  readonly written: Uint8Array
  readonly dropped = new Map<string, string>()
  readonly messages: { peer: string; message: RequesterMessage }[] = []
  readonly receivedFrom = new Map<string, number>()
  asks = 0
  outcome: DownloadEffect | undefined
  tree: BlockTree | undefined
  now = 0
  readonly #queue: Timed[] = []
  readonly #peers: ReadonlyMap<string, { behave: Behaviour; delayMs: number; bytesPerMs: number }>
  readonly #freeAt = new Map<string, number>()
  readonly #found: (asks: number) => readonly PeerAddress[]

  constructor(options: {
    fullHash: FullHash
    length: number
    peers: Record<string, Behaviour | { behave: Behaviour; delayMs?: number; bytesPerMs?: number }>
    found?: (asks: number) => readonly PeerAddress[]
    plan?: Partial<DownloadPlanOptions>
  }) {
    this.plan = new DownloadPlan(
      { fullHash: options.fullHash, hasher: nodeHasher, timeoutMs: 30_000, maxLength: 1e9, ...options.plan },
      0
    )
    this.written = new Uint8Array(options.length)
    this.#peers = new Map(
      Object.entries(options.peers).map(([name, peer]) => {
        const given = typeof peer === 'function' ? { behave: peer } : peer
        return [address(name).peerId, { delayMs: 10, bytesPerMs: 10_000, ...given }]
      })
    )
    const all = Object.keys(options.peers).map(address)
    this.#found = options.found ?? (() => all)
  }

  /** Begins with what was kept. */
  resume(tree: BlockTree, held: readonly BlockRun[]): void {
    this.#perform(this.plan.resume(tree, held))
  }

  /** Lets things happen until the plan ends or the time is over. */
  run(untilMs = 120_000): this {
    this.#perform(this.plan.wake(this.now))
    while (this.plan.running) {
      const wakeAt = this.plan.wakeAt(this.now) ?? Infinity
      const next = this.#queue[0]
      const at = Math.min(wakeAt, next?.at ?? Infinity)
      if (at > untilMs) break
      this.now = Math.max(this.now, at)
      if (next !== undefined && next.at <= wakeAt) {
        this.#queue.shift()
        this.#perform(next.run())
      } else this.#perform(this.plan.wake(this.now))
    }
    return this
  }

  /** At `at`, something happens from outside. */
  later(at: number, run: () => DownloadEffect[]): void {
    this.#queue.push({ at, run })
    this.#queue.sort((a, b) => a.at - b.at)
  }

  #perform(effects: readonly DownloadEffect[]): void {
    for (const effect of effects) this.#act(effect)
  }

  #act(effect: DownloadEffect): void {
    switch (effect.type) {
      case 'ask':
        this.asks++
        this.later(this.now + 5, () => this.plan.found(this.#found(this.asks), this.now))
        break
      case 'connect': {
        const { peer: to } = effect
        const peer = this.#peers.get(to.peerId)
        this.later(this.now + 50, () => {
          return peer === undefined
            ? this.plan.gone(to, 'cannot be reached', this.now)
            : this.plan.connected(to, 1, this.now)
        })
        break
      }
      case 'send':
        this.#deliver(effect.peer, effect.message)
        break
      case 'prepare':
        this.tree = effect.tree
        break
      case 'hash': {
        const leaves = blocksOf(effect.blocks.bytes).map(block => nodeHasher.block(block) as Uint8Array)
        this.later(this.now + 1, () => this.plan.hashed(effect.blocks, leaves, this.now))
        break
      }
      case 'write':
        this.written.set(effect.blocks.bytes, effect.blocks.first * BLOCK_BYTES)
        this.later(this.now + 1, () => this.plan.written(effect.blocks, this.now))
        break
      case 'drop':
        this.dropped.set(effect.peer.peerId, effect.reason)
        break
      case 'fetch':
      case 'abort_fetch':
      case 'fetch_sidecar':
        throw new Error('no origin takes part')
      case 'complete':
      case 'failed':
        this.outcome = effect
        break
    }
  }

  #deliver(to: PeerAddress, message: RequesterMessage): void {
    const { peerId } = to
    this.messages.push({ peer: peerId, message })
    const peer = this.#peers.get(peerId)
    peer?.behave(message, answer => {
      const bytes = answer.type === 'data' ? answer.bytes.length : 50
      const sentAt = Math.max(this.now, this.#freeAt.get(peerId) ?? 0) + bytes / peer.bytesPerMs
      this.#freeAt.set(peerId, sentAt)
      if (answer.type === 'data') this.receivedFrom.set(peerId, (this.receivedFrom.get(peerId) ?? 0) + bytes)
      this.later(sentAt + 2 * peer.delayMs, () => this.plan.receive(to, answer, this.now))
    })
  }
}
