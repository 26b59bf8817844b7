import { decodeSidecar, encodeSidecar, MAX_SIDECAR_BYTES, type FullHash } from '@mayfly/common'
import { createHash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import { fileSource } from '../adapters/file-source.js'
import { nodeHasher } from '../adapters/node-hasher.js'
import type { SiteFile } from '../core/site-manifest.js'
import { hashContent } from '../hash-content.js'
import type { ByteSource } from '../ports/byte-source.js'
import { troubleWith } from './file-trouble.js'
import type { FolderFile } from './folder-files.js'
import type { HashedFile } from './manifest-state.js'
import { writeWhole } from './write-whole.js'

/** Larger files have a sidecar: smaller ones are fetched and verified as a whole. */
const SIDECAR_ABOVE_BYTES = 262_144

/** What a sidecar is called: the name of its file, and this. */
export const SIDECAR_ENDING = '.mayfly'

/**
 * How long after its last change a file may change again without looking different: two seconds on FAT, less elsewhere.
 * What was hashed within it is hashed again.
 */
const SAME_LOOK_MS = 2_000

/** A file that is to travel, as it looks now. */
export interface Candidate extends FolderFile {
  readonly type: string
  readonly length: number
  readonly look: string
  /** Milliseconds since 1970, of the last change of it or of its status. */
  readonly changedAt: number
}

/** What hashing needs beside the files. */
export interface HashingOptions {
  /** What is known of them, by path. */
  readonly known: ReadonlyMap<string, HashedFile>
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Bytes done. Not more often than once a MiB or file. */
  readonly onprogress: (bytes: number) => void
}

/** What hashing gives. */
export interface Hashed {
  readonly files: Map<string, SiteFile>
  /** To be remembered. */
  readonly hashed: Map<string, HashedFile>
  /** Files that were read. */
  readonly readCount: number
}

/** How a file looks. Rejects where it is none that can be read. */
export async function candidateOf(file: FolderFile, type: string): Promise<Candidate> {
  const { size, mtimeNs, ctimeNs, ino } = await stat(file.place, { bigint: true })
  const changedAt = Number((mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1_000_000n)
  return { ...file, type, length: Number(size), look: [size, mtimeNs, ctimeNs, ino].join(' '), changedAt }
}

/** Hashes files, and writes the sidecars that are missing. Rejects with `FileTrouble`. */
export async function hashFiles(candidates: readonly Candidate[], options: HashingOptions): Promise<Hashed> {
  const { known, now, onprogress } = options
  const files = new Map<string, SiteFile>()
  const hashed = new Map<string, HashedFile>()
  let readCount = 0
  let before = 0
  for (const candidate of candidates) {
    const { path, type, length, look, changedAt } = candidate
    const needsSidecar = length > SIDECAR_ABOVE_BYTES
    const kept = known.get(path)
    const isKept = kept?.look === look && (await isThere(candidate, kept.fullHash))
    let hashes: Hashes | undefined = isKept ? kept : undefined
    let isSettled = true
    if (hashes === undefined) {
      readCount++
      isSettled = changedAt + SAME_LOOK_MS < now()
      const done = before
      hashes = await hashOne(candidate, bytes => onprogress(done + bytes)).catch(troubleWith(path))
    }
    before += length
    onprogress(before)
    const { fullHash, sha256 } = hashes
    const sidecar = needsSidecar && { sidecar: path + SIDECAR_ENDING }
    files.set(path, { fullHash, sha256, length, type, ...sidecar })
    if (isSettled) hashed.set(path, { look, fullHash, sha256 })
  }
  return { files, hashed, readCount }
}

/** What a file is named by. */
type Hashes = Pick<HashedFile, 'fullHash' | 'sha256'>

async function hashOne(candidate: Candidate, onProgress: (bytes: number) => void): Promise<Hashes> {
  const { place, length, look, type } = candidate
  const changed = new Error('it has changed while it was hashed')
  const source = await fileSource(place)
  const plain = createHash('sha256')
  // It is read once, in order, for both.
  const both: ByteSource = {
    ...source,
    read: async (...range) => {
      const bytes = await source.read(...range)
      plain.update(bytes)
      return bytes
    }
  }
  const { fullHash, tree } = await hashContent(both, nodeHasher, { onProgress }).catch((error: unknown) => {
    throw error instanceof Error && error.message === `${place} has changed` ? changed : error
  })
  // Also when it was replaced between being listed and being opened.
  if ((await candidateOf(candidate, type)).look !== look) throw changed
  if (length > SIDECAR_ABOVE_BYTES) await writeWhole(place + SIDECAR_ENDING, encodeSidecar(tree))
  return { fullHash, sha256: plain.digest('hex') }
}

/** Whether a file has the sidecar that it needs: one of that hash. */
async function isThere({ place, length }: Candidate, fullHash: FullHash): Promise<boolean> {
  if (length <= SIDECAR_ABOVE_BYTES) return true
  try {
    const file = await open(place + SIDECAR_ENDING, 'r')
    try {
      const bytes = new Uint8Array(MAX_SIDECAR_BYTES + 1)
      const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
      const limits = { fullHash, hasher: nodeHasher, maxLength: length }
      return decodeSidecar(bytes.subarray(0, bytesRead), limits) !== undefined
    } finally {
      await file.close()
    }
  } catch {
    return false
  }
}
