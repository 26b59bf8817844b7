/**
 * The manifest of a site as its pages and their service worker read it: when it is looked at again, what is believed to be one, and
 * its sections as they are needed.
 */
import {
  MAX_MANIFEST_LENGTH,
  entryFor,
  parseManifest,
  sectionOf,
  withSection,
  type ManifestEntry,
  type SiteManifest
} from '../core/site-manifest.js'
import { after } from './deadline.js'

/** What is known of the manifest of a site. */
export interface ManifestReader {
  /** Settles when what was kept before the worker was ended has been read. Never rejects. */
  readonly read: Promise<void>
  readonly isRead: boolean
  /** Undefined: not known, or not looked at for too long to be believed. */
  current(): SiteManifest | undefined
  /** Whether it is time to look whether it has changed. */
  isDue(isNavigation?: boolean): boolean
  /** Looks whether it has changed. Never rejects. */
  refresh(): Promise<void>
  /** What it says of an absolute URL; `unread`: it will be known in a moment. Undefined: only the origin has it. */
  entry(url: string): ManifestEntry | undefined | 'unread'
  /** The same, when it is known; undefined also where that takes 2 s. Never rejects. */
  look(url: string): Promise<ManifestEntry | undefined>
}

/** What a reader stands on. */
export interface ReaderPlatform {
  readonly fetch: typeof fetch
  /** Milliseconds of a clock that goes on while a worker is ended. */
  readonly now: () => number
  /** Where a worker finds the manifest again. */
  readonly kept?: KeptManifest
}

/** The text of a manifest, which outlives a worker. Both may reject. */
export interface KeptManifest {
  /** With the time when it was taken; undefined: there is none. */
  read(): Promise<readonly [text: string, since: number] | undefined>
  /** Undefined: the site has none any more. */
  write(text: string | undefined, since: number): Promise<unknown>
}

/** What was switched off may still come from visitors for so long. */
const FRESH_MS = 300_000
/** Between two looks while a page is used; a page that is opened looks at once. */
const PAUSE_MS = 120_000
/** Nobody waits longer for an answer of the site. */
const ANSWER_MS = 5_000
/** Nor for what the manifest says of one file. */
const LOOK_MS = 2_000

/**
 * The JSON at an address of the site, as text. What is of another type, as an upload of somebody may be, or lies elsewhere, is none.
 * Empty where the site has none. Rejects where it does not answer, after 5 s at the latest.
 */
export async function fetchJson(
  url: string,
  fetch: typeof globalThis.fetch,
  cache: RequestCache = 'no-cache'
): Promise<string> {
  const signal = AbortSignal.timeout(ANSWER_MS)
  const response = await fetch(url, { cache, redirect: 'error', signal })
  const { headers } = response
  if (response.status >= 500) throw new TypeError()
  const isJson = /^application\/([\w.+-]+\+)?json *(;|$)/i.test(`${headers.get('content-type')}`)
  const isFit = Number(headers.get('content-length')) <= 3 * MAX_MANIFEST_LENGTH
  if (!response.ok || !isJson || !isFit) return ''
  return response.text().catch(() => {
    signal.throwIfAborted()
    return ''
  })
}

/** `at`: absolute URL of the manifest. */
export function openManifestReader(at: string, { fetch, now, kept }: ReaderPlatform): ManifestReader {
  let manifest: SiteManifest | undefined
  let taken = ''
  let checkedAt = -Infinity
  let triedAt = -Infinity
  let isRead = !kept
  let running: Promise<void> | undefined
  /** What was asked for since the manifest was, by URL; undefined: it has come, or could not be had. */
  const asked = new Map<string, Promise<void> | undefined>()
  /** What was ever asked for: what did not fit is not to come out of the browser's cache again. */
  const tried = new Set<string>()

  const isWithin = (since: number, ms: number): boolean => now() >= since && now() - since < ms
  const current = (): SiteManifest | undefined => (isWithin(checkedAt, FRESH_MS) ? manifest : undefined)
  const isDue = (isNavigation = false): boolean =>
    // Each by itself: where the clock was set back, the last look may seem to be in the future.
    !running && (isNavigation || ![triedAt, checkedAt].some(since => isWithin(since, PAUSE_MS)))
  const take = (text: string, since: number): void => {
    checkedAt = since
    asked.clear()
    // Otherwise its sections stay read.
    if (text !== taken) manifest = parseManifest(text, at)
    taken = text
  }
  const restore = async (): Promise<void> => {
    const known = await kept?.read()
    // Meanwhile it may have been fetched.
    if (known && checkedAt === -Infinity) take(...known)
  }
  const refresh = async (): Promise<void> => {
    triedAt = now()
    running ??= fetchJson(at, fetch)
      .then(text => take(text, now()))
      .finally(() => (running = undefined))
    try {
      await running
      await kept?.write(manifest && taken, checkedAt)
    } catch {
      // Where the site does not answer at all, the last one is believed until it is too old. The browser may keep nothing.
    }
  }
  const readSection = async (url: string): Promise<void> => {
    try {
      const text = await fetchJson(url, fetch, tried.has(url) ? 'reload' : 'force-cache')
      const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
      const name = new DataView(digest).getBigUint64(0).toString(16).padStart(16, '0')
      if (manifest && url.endsWith(`-${name}.json`)) manifest = withSection(manifest, url, text) ?? manifest
    } catch {
      // It is asked for again with the next manifest.
    }
    tried.add(url)
  }
  /** What is to be waited for until it is known what an address is. */
  const pending = (url: string): Promise<void> | undefined => {
    if (!isRead) return read
    const known = current()
    if (!known) return isDue() ? refresh() : running?.catch(() => {})
    const section = sectionOf(known, url)
    if (section && !asked.has(section)) {
      const reading = readSection(section).then(() => {
        // Unless the manifest is another one by now.
        if (asked.get(section) === reading) asked.set(section, undefined)
      })
      asked.set(section, reading)
    }
    return section ? asked.get(section) : undefined
  }
  const entry: ManifestReader['entry'] = url => {
    if (pending(url)) return 'unread'
    const known = current()
    return known && entryFor(known, url)
  }
  const settled = async (url: string): Promise<ManifestEntry | undefined> => {
    for (;;) {
      const found = entry(url)
      if (found !== 'unread') return found
      await pending(url)
    }
  }
  const end = (): void => {
    isRead = true
  }
  const read = Promise.race([restore(), after(kept ? LOOK_MS : 0)]).then(end, end)

  return {
    read,
    get isRead() {
      return isRead
    },
    current,
    isDue,
    refresh,
    entry,
    look: url => Promise.race([settled(url), after(LOOK_MS)])
  }
}
