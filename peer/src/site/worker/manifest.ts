import { MAX_MANIFEST_LENGTH, parseManifest, type SiteManifest } from '../../core/site-manifest.js'

/** The manifest of a site, as its service worker knows it. */
export interface Manifest {
  /** Settles when what was kept before the worker was ended has been read. Never rejects. */
  readonly read: Promise<void>
  readonly isRead: boolean
  /** Undefined: not known, or not looked at for too long to be believed. */
  current(): SiteManifest | undefined
  /** Whether it is time to look whether it has changed. */
  isDue(isNavigation?: boolean): boolean
  /** Looks whether it has changed. Never rejects. */
  refresh(): Promise<void>
}

const CACHE = 'mayfly-manifest'
const CHECKED_AT = 'mayfly-checked-at'
/** What was switched off may still come from visitors for so long. */
const FRESH_MS = 300_000
/** Between two looks while a page is used; a page that is opened looks at once. */
const PAUSE_MS = 120_000

/** `now`: milliseconds of a clock that goes on while the worker is ended. */
export function openManifest(
  url: string,
  platform: Pick<typeof globalThis, 'fetch' | 'caches'> & { readonly now: () => number }
): Manifest {
  const { now } = platform
  let manifest: SiteManifest | undefined
  let checkedAt = -Infinity
  let triedAt = -Infinity
  let isRead = false
  let running: Promise<void> | undefined

  const isWithin = (at: number, ms: number): boolean => now() >= at && now() - at < ms
  const take = (text: string, at: number): boolean => {
    manifest = parseManifest(text, url)
    checkedAt = at
    return manifest !== undefined
  }
  const restore = async (): Promise<void> => {
    try {
      const kept = await (await platform.caches.open(CACHE)).match(url)
      // Meanwhile it may have been fetched.
      if (kept && checkedAt === -Infinity) take(await kept.text(), Number(kept.headers.get(CHECKED_AT)))
    } catch {
      // The browser keeps nothing.
    }
    isRead = true
  }
  const check = async (): Promise<void> => {
    try {
      // Where the site does not answer at all, the last one is believed until it is too old.
      const response = await platform.fetch(url, { cache: 'no-cache' })
      if (response.status >= 500) return
      const length = Number(response.headers.get('content-length'))
      const isFit = response.ok && length <= 3 * MAX_MANIFEST_LENGTH
      const text = isFit ? await response.text().catch(() => '') : ''
      const cache = await platform.caches.open(CACHE).catch(() => undefined)
      if (take(text, now()))
        await cache?.put(url, new Response(text, { headers: { [CHECKED_AT]: `${checkedAt}` } }))
      else await cache?.delete(url)
    } catch {
      // No line, or no room.
    }
  }
  return {
    read: restore(),
    get isRead() {
      return isRead
    },
    current: () => (isWithin(checkedAt, FRESH_MS) ? manifest : undefined),
    isDue: (isNavigation = false) =>
      !running && (isNavigation || !isWithin(Math.max(triedAt, checkedAt), PAUSE_MS)),
    refresh: () => {
      triedAt = now()
      return (running ??= check().finally(() => (running = undefined)))
    }
  }
}
