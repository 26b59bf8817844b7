/** Files that do not travel for one reason. */
export interface LeftOutGroup {
  readonly reason: string
  readonly files: number
  /** Of those whose length is known. */
  readonly bytes: number
  /** The three largest. */
  readonly examples: readonly { readonly path: string; readonly bytes: number }[]
}

const EXAMPLES = 3

/** Collects what is left out of a manifest, by reason. */
export class LeftOutFiles {
  readonly #groups = new Map<string, { path: string; bytes: number }[]>()

  /** `bytes`: 0 where nobody has looked. */
  add(reason: string, path: string, bytes = 0): void {
    const group = this.#groups.get(reason) ?? []
    this.#groups.set(reason, group)
    group.push({ path, bytes })
  }

  /** The heaviest reason first. */
  groups(): LeftOutGroup[] {
    return [...this.#groups]
      .map(([reason, files]) => ({
        reason,
        files: files.length,
        bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
        examples: files.toSorted((a, b) => b.bytes - a.bytes).slice(0, EXAMPLES)
      }))
      .sort((a, b) => b.bytes - a.bytes)
  }
}
