/** Bytes that somebody has: in memory, a File of a page, a file on disk. */
export interface ByteSource {
  readonly length: number
  /** Somebody else may change them without a word. */
  readonly mayChange?: boolean
  /** Exactly `length` bytes from `offset` on. Rejects when they cannot be read or have changed. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>
}
