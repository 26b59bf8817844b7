import { setTimeout as delay } from 'node:timers/promises'

/** Resolves `ms` milliseconds after `start`, a reading of `performance.now()`; at once where that has passed. */
export function at(start: number, ms: number): Promise<void> {
  return delay(Math.max(0, start + ms - performance.now()))
}

/**
 * Runs `check` until it does not throw, and gives what it gave.
 *
 * After `withinMs` the last error is thrown. No run starts after the deadline.
 */
export async function eventually<Value>(
  check: () => Value | Promise<Value>,
  withinMs: number,
  everyMs = 50
): Promise<Value> {
  const deadline = performance.now() + withinMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() + everyMs > deadline) throw error
      await delay(everyMs)
    }
  }
}

/** Rejects where `promise` has not settled within `ms`. */
export async function within<Value>(ms: number, promise: Promise<Value>, what: string): Promise<Value> {
  const abort = new AbortController()
  const late = delay(ms, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`${what} did not happen within ${ms} ms`)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    abort.abort()
    late.catch(() => undefined)
  }
}
