/** Time for the shells that wait: the system's in the product, moved by hand in tests. */
export interface Clock {
  /** Milliseconds that never go backwards, from any origin. */
  now(): number
  /** Calls `run` once after `ms` milliseconds. The function that it gives cancels; calling that twice is harmless. */
  after(ms: number, run: () => void): () => void
}
