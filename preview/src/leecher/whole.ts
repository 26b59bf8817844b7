import type { DownloadProgress } from '../library.js'

/**
 * The bytes of which each source's share is told: what is here, or what all have brought where that is more. Some of it
 * may have come twice, or be thrown away, or the file be fetched once more.
 */
export function wholeOf({
  verifiedBytes,
  peers,
  origin
}: Pick<DownloadProgress, 'verifiedBytes' | 'peers' | 'origin'>): number {
  const brought = peers.reduce((sum, { bytes }) => sum + bytes, origin?.bytes ?? 0)
  return Math.max(verifiedBytes, brought)
}
