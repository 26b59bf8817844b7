import type { FullHash } from '@mayfly/common'
import { expect } from 'chai'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileStore } from '../../src/adapters/file-store.js'
import { runStoreContract } from '../ports/store-contract.js'

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'mayfly-file-store-'))

runStoreContract(
  'a file',
  async () => {
    const path = await folder()
    const store = new FileStore(join(path, 'content'))
    return {
      store,
      dispose: async () => {
        await store.close()
        await rm(path, { recursive: true })
      }
    }
  },
  { holdsOne: true }
)

describe('the file store', () => {
  const header = { fullHash: '1'.repeat(64) as FullHash, length: 20_000, piecesRoot: new Uint8Array(32) }
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => i & 255)
  let path: string

  beforeEach(async () => {
    path = await folder()
  })

  afterEach(async () => {
    await rm(path, { recursive: true })
  })

  async function reasonOf(promise: Promise<unknown>): Promise<string> {
    return promise.then(
      () => 'did not reject',
      (error: unknown) => (error instanceof Error ? error.message : String(error))
    )
  }

  it('gives the file its name only when it is whole', async () => {
    await writeFile(join(path, 'photo.jpg'), 'older')
    const store = new FileStore(join(path, 'photo.jpg'))
    const content = await store.create(header)
    await content.write(1, bytes.slice(16_384))
    expect(await reasonOf(store.commit())).to.equal('the content is not whole yet')
    expect(await readFile(join(path, 'photo.jpg'), 'utf8')).to.equal('older')
    await content.write(0, bytes.slice(0, 16_384))
    await store.commit()
    await store.close()
    expect(new Uint8Array(await readFile(join(path, 'photo.jpg')))).to.deep.equal(bytes)
    expect(await readdir(path)).to.deep.equal(['photo.jpg'])
  })

  it('leaves nothing behind when it is closed before', async () => {
    const store = new FileStore(join(path, 'photo.jpg'))
    const content = await store.create(header)
    await content.write(0, bytes.slice(0, 16_384))
    expect(await readdir(path)).to.have.length(1)
    await store.close()
    expect(await readdir(path)).to.deep.equal([])
  })

  it('makes an empty file of the empty content', async () => {
    const store = new FileStore(join(path, 'empty'))
    await store.create({ ...header, length: 0 })
    await store.commit()
    expect(await readFile(join(path, 'empty'), 'utf8')).to.equal('')
  })

  it('refuses a folder, a second content, and a place that is not there', async () => {
    await mkdir(join(path, 'folder'))
    const store = new FileStore(join(path, 'folder'))
    expect(await reasonOf(store.create(header))).to.contain('is a folder')
    const other = new FileStore(join(path, 'file'))
    await other.create(header)
    const second = { ...header, fullHash: '2'.repeat(64) as FullHash }
    expect(await reasonOf(other.create(second))).to.equal('this file is for another content')
    await other.close()
    const nowhere = new FileStore(join(path, 'nowhere', 'file'))
    expect(await reasonOf(nowhere.create(header))).to.contain('ENOENT')
    expect(await readdir(path)).to.deep.equal(['folder'])
  })
})
