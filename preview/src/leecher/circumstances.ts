import type { Download } from '../library.js'
import { hasAddresses } from '../network.js'
import { type Circumstances, codeOf } from '../trouble.js'

/** Where everybody was lost: whether anybody was there, and whether anybody can be. Undefined for other failures. */
export async function circumstancesOf(
  reason: unknown,
  { progress }: Download
): Promise<Circumstances | undefined> {
  if (codeOf(reason) !== 'peers_lost') return undefined
  const met = progress.peers.some(({ bytes }) => bytes > 0)
  return { met, reachable: met || (await hasAddresses().catch(() => false)) }
}
