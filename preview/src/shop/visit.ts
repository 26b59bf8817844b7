import { type Shares, SOURCES, added, noShares } from './ledger.js'

/** Where the sums of a visit are kept: as `sessionStorage` is. */
export type VisitStorage = Pick<Storage, 'getItem' | 'setItem'>

/**
 * The sums of all pages of a visit: this tab, until it is closed. Each page adds what it has not added yet when it is left, so
 * that one which comes back from the browser's memory counts once.
 */
export class Visit {
  readonly #storage: VisitStorage | undefined
  readonly #key: string
  #added = noShares()

  /** Without a storage it has this page alone. `name` tells visits of one tab apart. */
  constructor(storage: VisitStorage | undefined, name: string) {
    this.#storage = storage
    this.#key = `sources ${name}`
  }

  /** Everything so far, with what `page` came to. */
  totals(page: Shares): Shares {
    return added(this.#kept(), added(page, this.#added, -1))
  }

  /** Keeps it for the next page. */
  keep(page: Shares): void {
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(this.totals(page)))
      this.#added = page
    } catch {
      // A full or forbidden storage costs the sums of other pages, nothing else.
    }
  }

  #kept(): Shares {
    try {
      return sharesOf(JSON.parse(this.#storage?.getItem(this.#key) ?? 'null'))
    } catch {
      return noShares()
    }
  }
}

function sharesOf(value: unknown): Shares {
  const shares = noShares()
  if (typeof value !== 'object' || value === null) return shares
  for (const source of SOURCES) {
    const bytes = (value as Record<string, unknown>)[source]
    if (typeof bytes === 'number' && bytes >= 0 && Number.isFinite(bytes)) shares[source] = bytes
  }
  return shares
}
