/**
 * Counts events by key within a sliding time: signals to one peer, offers of one peer.
 *
 * Remembers at most `limit` times for each of at most `maxKeys` keys; the key that was used least
 * recently is forgotten first.
 */
export class EventWindow {
  readonly #limit: number
  readonly #windowMs: number
  readonly #maxKeys: number
  readonly #times = new Map<string, number[]>()

  constructor(options: { limit: number; windowMs: number; maxKeys: number }) {
    this.#limit = options.limit
    this.#windowMs = options.windowMs
    this.#maxKeys = options.maxKeys
  }

  /** Counts one event of `key`, unless that would be more than `limit` within the window: then false. */
  take(key: string, now: number): boolean {
    const times = (this.#times.get(key) ?? []).filter(time => time > now - this.#windowMs)
    this.#times.delete(key)
    this.#times.set(key, times)
    if (this.#times.size > this.#maxKeys) {
      for (const oldest of this.#times.keys()) {
        this.#times.delete(oldest)
        break
      }
    }
    if (times.length >= this.#limit) return false
    times.push(now)
    return true
  }
}
