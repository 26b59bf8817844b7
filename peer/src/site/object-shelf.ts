import type { Store } from './store.js'
import { fullHashOf, levelsOf, rootOf, type Levels } from './tree.js'
import type { Message } from './wire.js'

/** An object that has verified. */
export interface Verified {
  readonly bytes: Message
  readonly levels: Levels
}

/** Bytes of verified objects that are kept in memory for serving. */
const READY_BYTES = 8_388_608

/** The objects that are held, verified whenever they come from elsewhere: a bit may have turned on the disk. */
export interface ObjectShelf {
  readonly held: (fullHash: string) => Promise<Verified | undefined>
  /** False: it is another object. */
  readonly keep: (fullHash: string, bytes: Uint8Array<ArrayBuffer>) => Promise<boolean>
  /** Undefined: it is another object. */
  readonly verify: typeof verify
  /** What is verified already. */
  readonly hold: (fullHash: string, verified: Verified) => void
}

/** `onstored` is called when one more is in the store. */
export function openObjectShelf(store: Store, onstored: () => void): ObjectShelf {
  const ready = new Map<string, Verified>()

  const remember = (fullHash: string, verified: Verified): void => {
    ready.set(fullHash, verified)
    let total = 0
    for (const { bytes } of ready.values()) total += bytes.length
    for (const [oldest, { bytes }] of ready) {
      if (total <= READY_BYTES) break
      total -= bytes.length
      ready.delete(oldest)
    }
  }
  const hold = (fullHash: string, verified: Verified): void => {
    remember(fullHash, verified)
    void store.put(fullHash, verified.bytes).then(onstored, () => {})
  }
  const held = async (fullHash: string): Promise<Verified | undefined> => {
    const known = ready.get(fullHash)
    if (known) return known
    const buffer = await store.get(fullHash)
    const verified = buffer && (await verify(fullHash, new Uint8Array(buffer)))
    if (verified) remember(fullHash, verified)
    else if (buffer) await store.remove(fullHash)
    return verified
  }
  const keep = async (fullHash: string, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> => {
    const verified = await verify(fullHash, bytes)
    if (verified) hold(fullHash, verified)
    return !!verified
  }
  return { held, hold, keep, verify }
}

/** Undefined: the bytes are another object. */
export async function verify(fullHash: string, bytes: Message): Promise<Verified | undefined> {
  const levels = await levelsOf(bytes)
  return (await fullHashOf(rootOf(levels), bytes.length)) === fullHash ? { bytes, levels } : undefined
}
