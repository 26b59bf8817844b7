import { fetchJson } from './manifest-reader.js'

/** What the manifest of a site says must not be given any more. */
export interface Revocations {
  /** Those of the full hashes that may be given. Never rejects. */
  readonly without: (fullHashes: readonly string[]) => Promise<readonly string[]>
}

/** Between two looks at the manifest; a hash that was revoked may be given for so long. */
const PAUSE_MS = 120_000

/**
 * Looks at the manifest when something is to be given, and again after a while. `url`: undefined where the site has none: all may
 * be given. While a manifest cannot be had, what was read last holds.
 */
export function openRevocations(
  url: string | undefined,
  { fetch, now }: { readonly fetch: typeof globalThis.fetch; readonly now: () => number }
): Revocations {
  let revoked: unknown[] = []
  let isEnabled = true
  let lookedAt = -Infinity
  let running: Promise<void> | undefined

  const look = async (): Promise<void> => {
    try {
      const text = await fetchJson(url ?? '', fetch)
      const manifest = JSON.parse(text) as { revoked?: unknown; enabled?: unknown }
      revoked = Array.isArray(manifest.revoked) ? manifest.revoked : []
      isEnabled = manifest.enabled !== false
    } catch {
      // No line, or not JSON.
    }
  }
  return {
    without: async fullHashes => {
      if (url && now() - lookedAt >= PAUSE_MS) {
        lookedAt = now()
        running = look()
      }
      await running
      return isEnabled ? fullHashes.filter(one => !revoked.includes(one)) : []
    }
  }
}
