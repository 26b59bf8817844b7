import { ManualClock, settle } from '../manual-clock.js'

/** Where virtual time begins, in milliseconds of the epoch. */
const START = 1_800_000_000_000

/** What is not there after so long is taken to hang. */
const MOST_MS = 60_000

const NAMES = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const

/** Timers and clocks of this process that move when told, for what has no clock of its own to be given. */
export class VirtualTime {
  /** What the clock on the wall is ahead of timers: a machine that slept. */
  sleptMs = 0
  readonly #clock = new ManualClock()
  readonly #native = Object.fromEntries(NAMES.map(name => [name, globalThis[name]]))
  readonly #dateNow = Date.now
  readonly #performanceNow = performance.now.bind(performance)
  readonly #running = new Map<number, () => void>()
  #count = 0

  constructor() {
    const repeat = (handle: number, ms: number, isInterval: boolean, run: () => void): void => {
      const cancel = this.#clock.after(ms, () => {
        this.#running.delete(handle)
        if (isInterval) repeat(handle, ms, true, run)
        run()
      })
      this.#running.set(handle, cancel)
    }
    const begin =
      (isInterval: boolean) =>
      (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): number => {
        const handle = ++this.#count
        repeat(handle, ms, isInterval, () => run(...args))
        return handle
      }
    const end = (handle: number): void => {
      this.#running.get(handle)?.()
      this.#running.delete(handle)
    }
    Object.assign(globalThis, {
      setTimeout: begin(false),
      clearTimeout: end,
      setInterval: begin(true),
      clearInterval: end
    })
    Date.now = () => START + this.#clock.now() + this.sleptMs
    performance.now = () => this.#clock.now()
  }

  /** Timers that have neither run nor been cleared. */
  get pending(): number {
    return this.#running.size
  }

  now(): number {
    return this.#clock.now()
  }

  /** Moves by `ms`; between two timers pending microtasks and immediates run. */
  advance(ms: number): Promise<void> {
    return this.#clock.advance(ms)
  }

  /**
   * Moves on until it settles, and tells how long that took; Infinity: more than a minute. `idle` settles when what needs no timer
   * is done.
   */
  async msUntil(
    promise: Promise<unknown>,
    stepMs = 10,
    idle: () => Promise<unknown> = settle
  ): Promise<number> {
    const before = this.now()
    const state = { isOver: false }
    const end = (): unknown => (state.isOver = true)
    promise.then(end, end)
    await idle()
    while (!state.isOver && this.now() - before < MOST_MS) {
      await this.advance(stepMs)
      await idle()
    }
    return state.isOver ? this.now() - before : Infinity
  }

  /** Gives the process its own time back. */
  end(): void {
    Object.assign(globalThis, this.#native)
    Date.now = this.#dateNow
    performance.now = this.#performanceNow
  }
}
