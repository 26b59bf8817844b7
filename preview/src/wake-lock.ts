/** Keeps the screen on while a transfer runs: phones stop pages of a dark screen. */
export class WakeLock {
  #wanted = false
  #sentinel: WakeLockSentinel | undefined
  #asking = false

  constructor() {
    // The browser drops the lock of a page that is hidden, and gives it back to nobody.
    document.addEventListener('visibilitychange', () => this.#settle())
  }

  /** From now on the screen stays on, or need not. */
  want(wanted: boolean): void {
    if (wanted === this.#wanted) return
    this.#wanted = wanted
    this.#settle()
  }

  #settle(): void {
    if (!this.#wanted) {
      void this.#sentinel?.release().catch(() => undefined)
      this.#sentinel = undefined
      return
    }
    const held = this.#sentinel !== undefined && !this.#sentinel.released
    if (held || this.#asking || document.hidden || !('wakeLock' in navigator)) return
    this.#asking = true
    void this.#ask()
  }

  async #ask(): Promise<void> {
    try {
      this.#sentinel = await navigator.wakeLock.request('screen')
    } catch {
      // Refused, on a low battery for one: the transfer goes on without.
    }
    this.#asking = false
    if (!this.#wanted) this.#settle()
  }
}
