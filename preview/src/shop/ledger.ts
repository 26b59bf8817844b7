/** What came from where: the library's word where it gave one, and what the browser measured for all else. */

/** Other visitors, what is kept here, or the site itself. In the order in which they are shown. */
export const SOURCES = ['peer', 'cache', 'origin'] as const
export type Source = (typeof SOURCES)[number]

/** What an object is. In the order in which they are shown. */
export const KINDS = ['pictures', 'font', 'film', 'download', 'page and code'] as const
export type Kind = (typeof KINDS)[number]

/** Bytes from each source. */
export type Shares = Record<Source, number>

/** An object, as one line of the ledger. */
interface Entry {
  readonly shares: Shares
  /** Where its last bytes came from. */
  source: Source
  byLibrary: boolean
}

/** What is under way at a time has one entry each; a page never has nearly as many. */
const MAX_ENTRIES = 5000

/** Keeps one entry per object of a page, and sums them up. Knows no browser. */
export class Ledger {
  readonly #entries = new Map<string, Entry>()

  /** The library tells of bytes of an object. From then on what the browser measures of it does not count: it is the same bytes. */
  toldByLibrary(url: string, source: Source, bytes: number): void {
    const entry = this.#entryOf(url, source)
    if (entry === undefined) return
    if (!entry.byLibrary) for (const name of SOURCES) entry.shares[name] = 0
    entry.byLibrary = true
    entry.shares[source] += bytes
    entry.source = source
  }

  /** The browser fetched something, or took it from its own cache. A film comes in several pieces. */
  seenByBrowser(url: string, source: 'cache' | 'origin', bytes: number): void {
    const entry = this.#entryOf(url, source)
    if (entry === undefined || entry.byLibrary) return
    entry.shares[source] += bytes
    entry.source = source
  }

  sourceOf(url: string): Source | undefined {
    return this.#entries.get(url)?.source
  }

  /** Sums of all objects, or of those of one kind. */
  totals(kind?: Kind): Shares {
    const sums = noShares()
    for (const [url, { shares }] of this.#entries) {
      if (kind !== undefined && kindOf(url) !== kind) continue
      for (const source of SOURCES) sums[source] += shares[source]
    }
    return sums
  }

  #entryOf(url: string, source: Source): Entry | undefined {
    const found = this.#entries.get(url)
    if (found !== undefined || this.#entries.size >= MAX_ENTRIES) return found
    const entry = { shares: noShares(), source, byLibrary: false }
    this.#entries.set(url, entry)
    return entry
  }
}

export function isSource(value: unknown): value is Source {
  return SOURCES.some(source => source === value)
}

export function noShares(): Shares {
  return { peer: 0, cache: 0, origin: 0 }
}

/** The sum of two, or with `sign` −1 their difference. */
export function added(to: Shares, more: Shares, sign = 1): Shares {
  const sum = noShares()
  for (const source of SOURCES) sum[source] = to[source] + sign * more[source]
  return sum
}

const KIND_OF_ENDING: ReadonlyMap<string, Kind> = new Map([
  ['png', 'pictures'],
  ['svg', 'pictures'],
  ['woff2', 'font'],
  ['mp4', 'film'],
  ['zip', 'download']
])

/** By the ending of its path. */
export function kindOf(url: string): Kind {
  const path = url.split(/[?#]/, 1)[0] ?? ''
  return KIND_OF_ENDING.get(path.slice(path.lastIndexOf('.') + 1)) ?? 'page and code'
}
