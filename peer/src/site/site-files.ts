import type { FullHash } from '@mayfly/common'
import { addressOf, entryFor, isSiteType, type SiteManifest } from '../core/site-manifest.js'
import { openManifestReader } from './manifest-reader.js'
import type { RequestOptions } from './parts.js'

/** Something that others may have. */
export interface NamedFile {
  readonly fullHash: FullHash
  readonly length: number
  readonly type: string
  /** URL of its sidecar. */
  readonly sidecar: string | undefined
  /** Where the site has it; empty: it has it nowhere. */
  readonly url: string
}

/** What an address means: a file that others may bring, or only where the site has it. */
export interface Named {
  readonly file: NamedFile | undefined
  /** Empty: the site has it nowhere. */
  readonly url: string
}

/** The manifest of the site, as its pages know it. */
export interface SiteFiles {
  /** Undefined: not known yet, or for too long. */
  current(): SiteManifest | undefined
  /** As it is now, or was a moment ago, with what it says of an absolute URL where one is given. Never rejects. */
  look(url?: string): Promise<SiteManifest | undefined>
}

const FULL_HASH = /^[\da-f]{64}$/

/** `at`: absolute URL of the manifest; undefined: the site has none. */
export function siteFiles(
  at: string | undefined,
  platform: { readonly fetch: typeof fetch; readonly now: () => number }
): SiteFiles {
  const reader = at === undefined ? undefined : openManifestReader(at, platform)
  return {
    current: () => reader?.current(),
    look: async (url = '') => {
      if (reader?.isDue()) await reader.refresh()
      await reader?.look(url)
      return reader?.current()
    }
  }
}

/** Where the caller says that the site has something; empty: nowhere. Throws TypeError where a URL is none. */
export function placeOf(address: string, { url }: RequestOptions, base: string): string {
  const place = FULL_HASH.test(address) ? url : address
  return place === undefined ? '' : new URL(place, base).href
}

/**
 * What an address, a URL or a full hash, means. What the manifest has switched off or revoked, and what it does not name, has
 * no file, unless the caller knows hash and length of the latter. Throws TypeError where a URL is none.
 */
export function nameOf(
  address: string,
  options: RequestOptions,
  manifest: SiteManifest | undefined,
  base: string
): Named {
  const fullHash = FULL_HASH.test(address) ? address : options.fullHash
  const places = placesOf(manifest, fullHash)
  const url = placeOf(address, options, base) || (places[0] ?? '')
  const known = manifest && fileAt(manifest, [url, ...places], fullHash)
  if (known) return { url, file: isSafe(known.type) ? { ...known, url } : undefined }
  const isOff = places.length > 0 || manifest?.enabled === false || manifest?.revoked.has(fullHash ?? '')
  return { url, file: isOff ? undefined : givenOf(fullHash, options, url, base) }
}

/** What the manifest says of the first of these addresses that has this full hash, where one is needed. */
function fileAt(
  manifest: SiteManifest,
  addresses: readonly string[],
  fullHash: string | undefined
): Omit<NamedFile, 'url'> | undefined {
  for (const address of addresses) {
    const entry = entryFor(manifest, address)
    if (!entry || (fullHash !== undefined && entry.fullHash !== fullHash)) continue
    return { ...entry, sidecar: entry.sidecar === undefined ? undefined : addressOf(manifest, entry.sidecar) }
  }
  return undefined
}

/** What the caller knows of a content that the manifest says nothing of. */
function givenOf(
  fullHash: string | undefined,
  { length = -1, type = '', sidecar }: RequestOptions,
  url: string,
  base: string
): NamedFile | undefined {
  if (!FULL_HASH.test(fullHash ?? '') || !Number.isSafeInteger(length) || length < 0) return undefined
  return {
    fullHash: fullHash as FullHash,
    length,
    type: isSafe(type) ? type : 'application/octet-stream',
    sidecar: sidecar === undefined ? undefined : new URL(sidecar, base).href,
    url
  }
}

/** A document must not be made of what can hold scripts. */
function isSafe(type: string): boolean {
  return isSiteType(type) && !type.endsWith('+xml')
}

/** Where the manifest has a full hash, as far as it was read. */
function placesOf(manifest: SiteManifest | undefined, fullHash: string | undefined): string[] {
  if (!manifest || fullHash === undefined) return []
  return [...manifest.files]
    .filter(([, file]) => file.fullHash === fullHash)
    .map(([path]) => addressOf(manifest, path))
}
