import type { Milliseconds } from '../../core/milliseconds.js'
import type { DhtAddress } from '../dht-node.js'

/** Nodes of the DHT that are asked who they are. */
const MAX_ADDRESSES = 1_024
const MAX_AT_ONCE = 8
/** A node that has answered is asked again so often: it may have another mediator id after a restart. */
const AGAIN_MS = 60_000
const RETRY_MS = 250
const RETRY_MAX_MS = 30_000
/** Then it counts as gone; if it is not, the DHT names it again. */
const MAX_FAILURES = 8

interface Asked {
  readonly address: DhtAddress
  askAt: Milliseconds
  failures: number
}

/**
 * Decides which nodes of the DHT to ask for their mediator: every node is one, so this is how mediators get to know
 * each other. Memory: at most `MAX_ADDRESSES` addresses.
 */
export class Discovery {
  readonly #nodes = new Map<string, Asked>()

  /** The DHT knows a node there. */
  seen(address: DhtAddress, now: Milliseconds): void {
    const name = nameOf(address)
    if (this.#nodes.has(name) || this.#nodes.size >= MAX_ADDRESSES) return
    this.#nodes.set(name, { address, askAt: now, failures: 0 })
  }

  /** Whom to ask now. Report each with `answered` or `silent`. */
  due(now: Milliseconds): DhtAddress[] {
    const due = [...this.#nodes.values()].filter(({ askAt }) => askAt <= now).slice(0, MAX_AT_ONCE)
    for (const node of due) node.askAt = Infinity
    return due.map(({ address }) => address)
  }

  /** It has said who it is. */
  answered(address: DhtAddress, now: Milliseconds): void {
    const node = this.#nodes.get(nameOf(address))
    if (node === undefined) return
    node.failures = 0
    node.askAt = now + AGAIN_MS
  }

  /** It has not, or does not know its URL yet. */
  silent(address: DhtAddress, now: Milliseconds): void {
    const node = this.#nodes.get(nameOf(address))
    if (node === undefined) return
    node.failures++
    node.askAt = now + Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** node.failures)
    if (node.failures >= MAX_FAILURES) this.#nodes.delete(nameOf(address))
  }
}

function nameOf({ host, port }: DhtAddress): string {
  return `${host}:${port}`
}
