/** Settles so many milliseconds later. */
export function after(ms: number): Promise<undefined> {
  return new Promise(resolve => setTimeout(resolve, ms, undefined))
}

/** Undefined where it takes longer, or rejects: whoever waits goes on without it. */
export function within<Value>(ms: number, promise: Promise<Value>): Promise<Value | undefined> {
  return Promise.race([promise.catch(() => undefined), after(ms)])
}
