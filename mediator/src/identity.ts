import { createPrivateKey, createPublicKey, randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromHex, isMediatorId, toHex, type MediatorId } from '@mayfly/common'

/** Bytes of the seed of an Ed25519 key. */
const SEED_BYTES = 32
/** What stands before the seed in PKCS #8 (RFC 8410). */
const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420')
const KEY_FILE = 'mediator-key'

/** What names and proves a mediator: the seed of its Ed25519 key. A secret. */
export type Seed = Uint8Array

/** A seed that nobody has had before. */
export function newSeed(): Seed {
  return randomBytes(SEED_BYTES)
}

/** The mediator id that a seed proves. */
export function mediatorIdOf(seed: Seed): MediatorId {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-SEED_BYTES)
  const id = toHex(publicKey)
  if (!isMediatorId(id)) throw new TypeError('a seed has 32 bytes')
  return id
}

/**
 * The seed kept in `directory`, made when there is none; so that the mediator id survives a restart. The file
 * can be read by its owner only, appears complete or not at all, and is never overwritten.
 *
 * Rejects where the directory cannot be used or the file holds something else.
 */
export async function keepSeed(directory: string): Promise<Seed> {
  const file = join(directory, KEY_FILE)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const kept = await readSeed(file)
  if (kept !== undefined) return kept
  const draft = `${file}.${randomUUID()}.new`
  await writeFile(draft, `${toHex(newSeed())}\n`, { mode: 0o600, flag: 'w', flush: true })
  try {
    // Unlike a rename, a link never replaces the key that another process has just made.
    await link(draft, file)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  } finally {
    await unlink(draft)
  }
  const made = await readSeed(file)
  if (made === undefined) throw new Error(`${file} vanished`)
  return made
}

async function readSeed(file: string): Promise<Seed | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
  const digits = text.trim()
  if (!/^[0-9a-f]{64}$/.test(digits)) throw new Error(`${file} does not hold a mediator's key`)
  return fromHex(digits)
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
