import type { GetOptions, MayflyErrorCode } from './api.js'
import { MayflyError } from './error.js'
import type { TransferHost, TransferOptions } from './transfer-host.js'

/** Milliseconds without anyone who has a content, unless told otherwise. */
const DEFAULT_TIMEOUT_MS = 30_000

/** The same where there can be no peers and no origin was named: somebody else may name one, or what is kept may do. */
const HOPELESS_TIMEOUT_MS = 1_000

/** Bytes of the longest content, unless told otherwise: 64 GiB, whose tree takes 256 MiB. */
const DEFAULT_MAX_LENGTH = 2 ** 36

/** Past what a download gives up: so long without anyone who has the content, or so long a content. */
export function boundsOf(
  { timeoutMs = DEFAULT_TIMEOUT_MS, maxLength = DEFAULT_MAX_LENGTH, origin }: GetOptions,
  noWebRtc: string | undefined
): Pick<TransferOptions, 'timeoutMs' | 'maxLength'> {
  const isHopeless = noWebRtc !== undefined && origin === undefined
  return { timeoutMs: isHopeless ? Math.min(timeoutMs, HOPELESS_TIMEOUT_MS) : timeoutMs, maxLength }
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
