import type { DownloadProgress } from '../api.js'
import { heldBytesOf } from './block-bounds.js'
import type { DownloadPlan } from './download-plan.js'

/** How far a download is, for people to look at. `outcome`: undefined while it goes on. */
export function progressOf(
  plan: DownloadPlan,
  outcome: 'complete' | Error | undefined,
  bytesPerSecond: number
): DownloadProgress {
  const peers = [...plan.sources].flatMap(source => source.share() ?? [])
  const { stored, tree, origin } = plan
  const length = tree?.length
  const verifiedBytes = stored === undefined ? 0 : heldBytesOf(length ?? 0, stored)
  const left = length === undefined ? undefined : length - verifiedBytes
  const isTried = peers.length > 0 || (origin !== undefined && origin.state !== 'waiting')
  return {
    state: stateOf(outcome, tree !== undefined, isTried),
    length,
    verifiedBytes,
    bytesPerSecond,
    secondsLeft: left === undefined || bytesPerSecond === 0 ? undefined : left / bytesPerSecond,
    peers,
    ...(origin === undefined ? {} : { origin }),
    wastedBytes: plan.wastedBytes
  }
}

function stateOf(
  outcome: 'complete' | Error | undefined,
  isKnown: boolean,
  isTried: boolean
): DownloadProgress['state'] {
  if (outcome === 'complete') return 'complete'
  if (outcome !== undefined) return 'failed'
  if (isKnown) return 'downloading'
  return isTried ? 'connecting' : 'searching'
}
