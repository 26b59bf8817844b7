import type { FullHash } from '@mayfly/common'
import { addressOf, entryFor, isSiteType, parseManifest, type SiteManifest } from '../core/site-manifest.js'
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
  /** As it is now, or was a moment ago. Never rejects. */
  look(): Promise<SiteManifest | undefined>
}

/** Between two looks while it is used. */
const PAUSE_MS = 120_000
/** What was switched off may still come from others for so long. */
const FRESH_MS = 300_000
const FULL_HASH = /^[\da-f]{64}$/

/** `at`: absolute URL of the manifest; undefined: the site has none. */
export function siteFiles(
  at: string | undefined,
  platform: { readonly fetch: typeof fetch; readonly now: () => number }
): SiteFiles {
  let manifest: SiteManifest | undefined
  let lookedAt = -Infinity
  let looking: Promise<SiteManifest | undefined> = Promise.resolve(undefined)

  const read = async (): Promise<SiteManifest | undefined> => {
    if (at === undefined) return undefined
    try {
      const response = await platform.fetch(at, { cache: 'no-cache' })
      manifest = response.ok ? parseManifest(await response.text(), at) : undefined
    } catch {
      manifest = undefined
    }
    return manifest
  }
  return {
    current: () => (platform.now() - lookedAt < FRESH_MS ? manifest : undefined),
    look: () => {
      if (platform.now() - lookedAt < PAUSE_MS) return looking
      lookedAt = platform.now()
      return (looking = read())
    }
  }
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
  const isHash = FULL_HASH.test(address)
  const fullHash = isHash ? address : options.fullHash
  const places = placesOf(manifest, fullHash)
  const place = isHash ? (options.url ?? places[0]) : address
  const url = place === undefined ? '' : new URL(place, base).href
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
  return isSiteType(type) && !/svg/.test(type)
}

/** Where the manifest has a full hash. */
function placesOf(manifest: SiteManifest | undefined, fullHash: string | undefined): string[] {
  if (!manifest || fullHash === undefined) return []
  return [...manifest.files]
    .filter(([, file]) => file.fullHash === fullHash)
    .map(([path]) => addressOf(manifest, path))
}
