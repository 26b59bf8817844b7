import type { UploadProgress } from './library.js'

/** What one file sends to one peer. */
export interface Listener {
  readonly fullHash: string
  readonly peerId: string
  readonly sentBytes: number
  readonly length: number
  readonly active: boolean
}

/** Pairs of file and peer that are remembered: as many as a session lists. */
export const MAX_LISTENERS = 256

/** Who fetches what, and how much was sent in all. Forgets the oldest pairs past `MAX_LISTENERS`, but not their bytes. */
export class Audience {
  readonly #listeners = new Map<string, Listener>()
  #sentBytes = 0

  /** Bytes sent to everyone so far. */
  get sentBytes(): number {
    return this.#sentBytes
  }

  /** Peers that are fetching something now, each counted once. */
  get fetching(): number {
    const peers = new Set<string>()
    for (const { active, peerId } of this.#listeners.values()) if (active) peers.add(peerId)
    return peers.size
  }

  /** Takes in what the session reports of an upload. A count that starts again is counted again. */
  report({ fullHash, peerId, sentBytes, length, active }: UploadProgress): void {
    const key = `${fullHash} ${peerId}`
    const before = this.#listeners.get(key)?.sentBytes ?? 0
    this.#sentBytes += sentBytes < before ? sentBytes : sentBytes - before
    this.#listeners.delete(key)
    this.#listeners.set(key, { fullHash, peerId, sentBytes, length, active })
    const [oldest] = this.#listeners.keys()
    if (this.#listeners.size > MAX_LISTENERS && oldest !== undefined) this.#listeners.delete(oldest)
  }

  /** Who fetches or fetched this file, those who do now first, at most `limit`. */
  of(fullHash: string, limit: number): readonly Listener[] {
    return [...this.#listeners.values()]
      .filter(listener => listener.fullHash === fullHash)
      .reverse()
      .sort((one, other) => Number(other.active) - Number(one.active))
      .slice(0, limit)
  }

  /** Nobody fetches any more: the session is over. What was sent stays counted. */
  disband(): void {
    this.#listeners.clear()
  }
}
