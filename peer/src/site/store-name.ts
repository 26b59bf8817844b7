/** The cache of an origin in which its pages keep what they hold. */
export const STORE = 'mayfly-objects'

/** The address of something that is held. `site`: URL of its manifest, or empty: several sites may share an origin. */
export function storeUrl(key: string, length: number, site: string): string {
  return `/mayfly/${key}?${length}&${encodeURIComponent(site)}`
}

/** Of an address in the cache; undefined: it is another site's. */
export function storeEntry(address: string, site: string): [key: string, length: number] | undefined {
  const { pathname, search } = new URL(address)
  const [length, mark] = search.slice(1).split('&')
  return mark === encodeURIComponent(site) ? [pathname.slice(8), Number(length)] : undefined
}
