import type { GetOptions, MayflyErrorCode } from './api.js'
import { MayflyError } from './error.js'
import type { TransferHost } from './transfer-host.js'

/** Milliseconds without anyone who has a content, unless told otherwise. */
const DEFAULT_TIMEOUT_MS = 30_000

/** The same where there can be no peers and no origin was named: somebody else may name one, or what is kept may do. */
const HOPELESS_TIMEOUT_MS = 1_000

/** How long a download goes on without anyone who has the content. */
export function patienceOf(
  { timeoutMs = DEFAULT_TIMEOUT_MS, origin }: GetOptions,
  noWebRtc: string | undefined
): number {
  return noWebRtc === undefined || origin !== undefined ? timeoutMs : Math.min(timeoutMs, HOPELESS_TIMEOUT_MS)
}

/** What a download fails with: the reason behind the one that its plan gives, where there is one. */
export function failureOf(
  code: MayflyErrorCode,
  reason: string,
  host: Pick<TransferHost, 'noWebRtc' | 'mediatorUnreachable'>
): MayflyError {
  if (host.noWebRtc !== undefined && (code === 'no_seeder' || code === 'peers_lost')) {
    return new MayflyError('no_webrtc', host.noWebRtc)
  }
  if (code === 'no_seeder' && host.mediatorUnreachable()) {
    return new MayflyError('mediator_unreachable', 'no mediator could be reached')
  }
  return new MayflyError(code, reason)
}
