import type { ByteSource } from '../ports/byte-source.js'

/** Files of one content that are tried where one cannot be read any more. */
const MAX_TRIED = 8

/**
 * Files of the same content. Each can be read as long as any of them can: the one that was named last may be deleted or
 * changed while the others are as they were.
 */
export class TwinFiles {
  readonly #files: ByteSource[] = []

  /** This file has the same content too. */
  add(file: ByteSource): void {
    this.#files.push(file)
  }

  /** Reads `first`, or else another. Rejects with what is wrong with `first`. */
  async read(first: ByteSource, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return await first.read(offset, length)
    } catch (error) {
      for (const other of this.#files.slice(0, MAX_TRIED)) {
        const bytes = other === first ? undefined : await other.read(offset, length).catch(() => undefined)
        if (bytes !== undefined) return bytes
      }
      throw error
    }
  }
}

/** A file that is read alone until it is known which others have its content. */
export class TwinSource implements ByteSource {
  readonly length: number
  readonly mayChange = true
  readonly #file: ByteSource
  #twins: TwinFiles | undefined

  constructor(file: ByteSource) {
    this.length = file.length
    this.#file = file
  }

  join(twins: TwinFiles): void {
    twins.add(this.#file)
    this.#twins = twins
  }

  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#twins?.read(this.#file, offset, length) ?? this.#file.read(offset, length)
  }
}
