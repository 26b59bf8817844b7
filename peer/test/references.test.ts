import { BLOCK_BYTES, type FullHash, type HashedContent } from '@mayfly/common'
import { expect } from 'chai'
import { File } from 'node:buffer'
import { blobSource } from '../src/adapters/blob-source.js'
import { nodeHasher } from '../src/adapters/node-hasher.js'
import { hashContent } from '../src/hash-content.js'
import type { ByteSource } from '../src/ports/byte-source.js'
import type { FileHandle, KeptReference, ReferenceStore } from '../src/ports/reference-store.js'
import { References } from '../src/references.js'
import { bytesOf, expectSame, failureOf } from './memory-world.js'

/** What outlives a visit. */
class Kept implements ReferenceStore {
  readonly #kept = new Map<FullHash, KeptReference>()
  put = async (reference: KeptReference): Promise<void> => void this.#kept.set(reference.fullHash, reference)
  all = async (): Promise<KeptReference[]> => [...this.#kept.values()]
  delete = async (fullHash: FullHash): Promise<void> => void this.#kept.delete(fullHash)
  close = async (): Promise<void> => {}
}

const fileOf = (bytes: Uint8Array<ArrayBuffer>, lastModified = 1): globalThis.File =>
  new File([bytes], 'song.mp3', { lastModified }) as unknown as globalThis.File

function handleOf(file: globalThis.File, permission: PermissionState): FileHandle {
  return {
    getFile: () => Promise.resolve(file),
    queryPermission: () => Promise.resolve(permission),
    requestPermission: () => Promise.resolve(permission === 'denied' ? 'denied' : 'granted')
  }
}

describe('references', () => {
  const bytes = bytesOf(20 * BLOCK_BYTES + 5)
  let store: Kept
  let hashed: HashedContent

  before(async () => (hashed = await hashContent(blobSource(fileOf(bytes)), nodeHasher)))
  beforeEach(() => (store = new Kept()))

  /** A visit of the page: what it seeds, and how many blocks it hashes. */
  function visit() {
    const seeded = new Map<FullHash, ByteSource>()
    const count = { blocks: 0 }
    const references = new References(store, {
      hasher: {
        ...nodeHasher,
        block: block => {
          count.blocks++
          return nodeHasher.block(block)
        }
      },
      now: () => 5,
      chance: () => 0.4,
      sourceOf: blobSource,
      seed: async (content, source) => {
        seeded.set(content.fullHash, source)
        return content.fullHash
      }
    })
    return { references, seeded, count }
  }

  const waiting = (needs: 'file' | 'permission') => [
    { fullHash: hashed.fullHash, name: 'song.mp3', length: bytes.length, needs }
  ]

  it('are seeded at once on the next visit by a handle that is still granted, without hashing it all', async () => {
    await visit().references.keep(hashed, fileOf(bytes), handleOf(fileOf(bytes), 'granted'))
    const { references, seeded, count } = visit()
    expect(await references.restore()).to.equal(1)
    expect(count.blocks).to.be.lessThan(5)
    expect(await references.list()).to.deep.equal([])
    expectSame(await seeded.get(hashed.fullHash)!.read(0, bytes.length), bytes)
  })

  it('wait for permission where it has to be asked for, and are seeded once it is given', async () => {
    await visit().references.keep(hashed, fileOf(bytes), handleOf(fileOf(bytes), 'prompt'))
    const { references, seeded } = visit()
    expect(await references.restore()).to.equal(0)
    expect(await references.list()).to.deep.equal(waiting('permission'))
    await references.reseed(hashed.fullHash)
    expect([...seeded.keys()]).to.deep.equal([hashed.fullHash])
    expect(await references.list()).to.deep.equal([])
  })

  it('are refused where permission is', async () => {
    await visit().references.keep(hashed, fileOf(bytes), handleOf(fileOf(bytes), 'denied'))
    const failure = await failureOf(visit().references.reseed(hashed.fullHash))
    expect(failure).to.include({ code: 'content_changed', message: 'song.mp3 may not be read' })
  })

  it('without a handle wait for the file to be chosen again, which is not hashed again', async () => {
    await visit().references.keep(hashed, fileOf(bytes))
    const { references, seeded, count } = visit()
    expect(await references.restore()).to.equal(0)
    expect(await references.list()).to.deep.equal(waiting('file'))
    await references.reseed(hashed.fullHash, fileOf(bytes))
    expect(count.blocks).to.be.lessThan(5)
    expectSame(await seeded.get(hashed.fullHash)!.read(0, bytes.length), bytes)
  })

  it('take the same bytes with another time of change after hashing them all', async () => {
    await visit().references.keep(hashed, fileOf(bytes))
    const { references, seeded, count } = visit()
    await references.reseed(hashed.fullHash, fileOf(bytes, 99))
    expect(count.blocks).to.equal(21)
    expect(seeded.size).to.equal(1)
  })

  it('refuse another file, and one that only looks the same where it is looked at', async () => {
    await visit().references.keep(hashed, fileOf(bytes))
    const other = visit()
    const failure = await failureOf(
      other.references.reseed(hashed.fullHash, fileOf(bytesOf(bytes.length), 1))
    )
    expect(failure.code).to.equal('content_changed')
    expect(other.seeded.size).to.equal(0)
    const changed = bytes.slice()
    changed[3 * BLOCK_BYTES] = (changed[3 * BLOCK_BYTES] ?? 0) ^ 1
    const { references, seeded } = visit()
    await references.reseed(hashed.fullHash, fileOf(changed))
    const source = seeded.get(hashed.fullHash)!
    expectSame(await source.read(0, 3 * BLOCK_BYTES), bytes.subarray(0, 3 * BLOCK_BYTES))
    const reason: unknown = await source.read(3 * BLOCK_BYTES, BLOCK_BYTES).catch((error: unknown) => error)
    expect(reason).to.have.property('message', 'it has changed')
  })

  it('are not seeded from a handle whose file has changed, and are forgotten when they are finished', async () => {
    const changed = fileOf(bytesOf(bytes.length), 2)
    await visit().references.keep(hashed, fileOf(bytes), handleOf(changed, 'granted'))
    const { references, seeded } = visit()
    expect(await references.restore()).to.equal(0)
    expect(seeded.size).to.equal(0)
    expect(await references.list()).to.have.length(1)
    await references.forget(hashed.fullHash)
    expect(await references.list()).to.deep.equal([])
    expect((await failureOf(references.reseed(hashed.fullHash))).code).to.equal('content_changed')
  })
})
