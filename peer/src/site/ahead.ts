import { pageListName } from '../core/page-list-name.js'
import { addressOf, type ManifestEntry, type SiteManifest } from '../core/site-manifest.js'
import { addressesOfSet } from '../core/srcset.js'
import type { ObjectSession } from './object-session.js'
import { fetchJson } from './manifest-reader.js'

/** What a page needs to bring what another page shows. */
export interface AheadHost {
  readonly manifest: () => SiteManifest | undefined
  /** What the manifest says of an absolute URL. */
  readonly look: (url: string) => Promise<ManifestEntry | undefined>
  readonly session: Pick<ObjectSession, 'bring'>
  /** It is held now. */
  readonly held: (fullHash: string, url: string) => void
}

/** Milliseconds that others have for each: a visitor who points at a link follows it soon. */
const PATIENCE_MS = 1_000
/** Of one page, that is what a first viewport shows and a little more. */
const MAX_PICTURES = 16
/** Of all pages that a page leads to. Where that is too much for a network, `PATIENCE_MS` ends it. */
const MAX_BYTES = 4_194_304
const MAX_PAGES = 4

/**
 * What is given brings what a page of the site shows first, from other visitors alone, so that it is held when the visitor comes
 * there: each page once, and nothing of one that has no list in the manifest. It is known a moment later whether the visitor means
 * it; what tells what is named is read meanwhile. It never rejects.
 */
export function openAhead({
  manifest,
  look,
  session,
  held
}: AheadHost): (url: string, isMeant: Promise<boolean>) => Promise<void> {
  /** Addresses of lists; of this page nothing is brought. */
  const seen = new Set<string | undefined>([undefined])
  let left = MAX_BYTES

  const listOf = (url: string): string | undefined => {
    const { base = '' } = manifest() ?? {}
    const { origin, pathname } = new URL(url)
    const address = origin + pathname
    return address.startsWith(base) ? base + pageListName(address.slice(base.length)) : undefined
  }
  const bring = async (item: unknown): Promise<void> => {
    const { base = '' } = manifest() ?? {}
    const url = addressOf({ base }, chosen(item))
    const file = await look(url)
    if (!file || file.length > left) return
    left -= file.length
    const { fullHash, length } = file
    if (await session.bring({ fullHash, length, url: '', patienceMs: PATIENCE_MS })) held(fullHash, url)
  }
  return async (url, isMeant) => {
    try {
      const list = listOf(url)
      seen.add(listOf(location.href))
      if (list === undefined || seen.has(list) || seen.size > MAX_PAGES + 1) return
      if (!(await look(list)) || !(await isMeant) || seen.has(list)) return
      seen.add(list)
      const items = JSON.parse(await fetchJson(list, fetch, 'default')) as unknown[]
      await Promise.all(items.slice(0, MAX_PICTURES).map(bring))
    } catch {
      // It is no list, or the link leads nowhere: the page shows what it shows.
    }
  }
}

/** Of several addresses of a picture, the one in the place of those that this page shows. */
function chosen(item: unknown): string {
  const several = ([] as unknown[]).concat(item)
  return String(several[placeOfChosen()] ?? several.at(-1))
}

function placeOfChosen(): number {
  const images = [...document.images].filter(({ srcset, currentSrc }) => srcset && currentSrc)
  const places = images.map(({ srcset, currentSrc }) =>
    addressesOfSet(srcset).findIndex(one => nameIn(one) === nameIn(currentSrc))
  )
  return Math.max(0, places.at(-1) ?? 0)
}

/** What an address ends with: of the addresses of one picture each ends with another. */
function nameIn(address: string): string | undefined {
  return address.split('/').at(-1)
}
