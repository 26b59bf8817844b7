import { type Source, isSource } from './ledger.js'

/** What the library says of an object that it brought. */
export interface LibraryWord {
  readonly url: string
  readonly fullHash: string | undefined
  readonly source: Source
  readonly bytes: number
}

/** Reads the `detail` of a `mayfly` entry of the performance timeline. `undefined` where it is none. */
export function libraryWordOf(detail: unknown, base: string): LibraryWord | undefined {
  if (typeof detail !== 'object' || detail === null) return undefined
  const { url, fullHash, source, bytes } = detail as Record<string, unknown>
  if (typeof url !== 'string' || !URL.canParse(url, base) || !isSource(source)) return undefined
  return {
    url: new URL(url, base).href,
    fullHash: typeof fullHash === 'string' ? fullHash : undefined,
    source,
    bytes: typeof bytes === 'number' && bytes >= 0 && Number.isFinite(bytes) ? bytes : 0
  }
}
