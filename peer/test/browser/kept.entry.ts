/** Runs in a page: a session whose store is IndexedDB, and a clock for how soon it announces. */
import { webHasher } from '../../src/adapters/web-hasher.js'
import { memorySource } from '../../src/adapters/memory-source.js'
import { hashContent } from '../../src/hash-content.js'
import { IndexedDbStore } from '../../src/adapters/indexeddb-store.js'
import { connect } from '../../src/page/index.js'

const MEDIATOR = `ws://${location.host}/`

/** Counts what is hashed, so that a test can say that nothing is. */
let hashedBytes = 0
const digest = crypto.subtle.digest.bind(crypto.subtle)
crypto.subtle.digest = (algorithm, data) => {
  hashedBytes += data.byteLength
  return digest(algorithm, data)
}

/** Puts contents into the store as a download does, and gives their full hashes. */
async function fill(lengths: readonly number[]): Promise<string[]> {
  const store = new IndexedDbStore()
  const hashes: string[] = []
  for (const [seed, length] of lengths.entries()) {
    const bytes = new Uint8Array(length)
    for (let i = 0; i < length; i += 1_000) bytes[i] = (i / 1_000 + seed) & 255
    const { fullHash, tree } = await hashContent(memorySource(bytes), webHasher())
    const content = await store.create({ fullHash, length, piecesRoot: tree.piecesRoot }, { pinned: true })
    const started = performance.now()
    const writes: Promise<void>[] = []
    for (let at = 0; at < length; at += 65_536) {
      writes.push(content.write(at / 16_384, bytes.slice(at, at + 65_536), tree))
      if (writes.length === 128) await Promise.all(writes.splice(0, 64))
    }
    await Promise.all(writes)
    if (length > 1e7) Object.assign(globalThis, { writtenMs: performance.now() - started })
    await content.release()
    hashes.push(fullHash)
  }
  await store.close()
  return hashes
}

/** Opens a session; the mediator of the test sees what it announces. */
async function visit(): Promise<void> {
  const session = connect(MEDIATOR, { store: 'indexeddb' })
  await session.established
}

/** Seeds a file of the origin's own file system, by reference, with its handle. */
async function seedFile(length: number): Promise<string> {
  const root = await navigator.storage.getDirectory()
  const handle = await root.getFileHandle('song.bin', { create: true })
  const writable = await handle.createWritable()
  await writable.write(new Uint8Array(length).fill(7))
  await writable.close()
  const session = connect(MEDIATOR, { store: 'indexeddb' })
  return session.seed(await handle.getFile(), { handle })
}

const hashed = (): number => hashedBytes

Object.assign(globalThis, { kept: { fill, visit, seedFile, hashed } })
