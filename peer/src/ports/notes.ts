/** Small texts that a platform keeps from one visit to the next, as well as it can. Never throws. */
export interface Notes {
  /** Undefined: there is none, or it cannot be read. */
  read(name: string): string | undefined
  /** Replaces what was there; undefined takes it away. Does nothing where nothing can be kept. */
  write(name: string, text: string | undefined): void
}
