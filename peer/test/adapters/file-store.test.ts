import { BLOCK_BYTES, type FullHash } from '@mayfly/common'
import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { link, mkdir, mkdtemp, readFile, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileStore } from '../../src/adapters/file-store.js'
import { runStoreContract } from '../ports/store-contract.js'
import { blocks, same, sampleOf, write, type Sample } from '../ports/store-sample.js'
import { flipBit } from './flip-bit.js'

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'mayfly-file-store-'))

runStoreContract(
  'a file',
  async ({ fullHash }) => {
    const path = await folder()
    const target = join(path, 'content')
    const store = new FileStore(target, fullHash)
    return {
      store,
      reopen: () => Promise.resolve(new FileStore(target, fullHash)),
      flipBit: (header, block) => flipBit(join(path, `.content.${header.fullHash.slice(0, 16)}.part`), block),
      dispose: async () => {
        await store.close()
        await rm(path, { recursive: true })
      }
    }
  },
  { holdsOne: true, outlives: true }
)

describe('the file store', () => {
  let sample: Sample
  let path: string

  before(async () => {
    sample = await sampleOf(1, BLOCK_BYTES + 3_616)
  })

  beforeEach(async () => {
    path = await folder()
  })

  afterEach(async () => {
    await rm(path, { recursive: true })
  })

  const storeAt = (name: string, of = sample): FileStore =>
    new FileStore(join(path, name), of.header.fullHash)

  async function reasonOf(promise: Promise<unknown>): Promise<string> {
    return promise.then(
      () => 'did not reject',
      (error: unknown) => (error instanceof Error ? error.message : String(error))
    )
  }

  it('gives the file its name only when it is whole, and leaves nothing else', async () => {
    await writeFile(join(path, 'photo.jpg'), 'older')
    const store = storeAt('photo.jpg')
    const content = await store.create(sample.header)
    await write(content, sample, 1, 1)
    expect(await reasonOf(store.commit())).to.equal('the content is not whole yet')
    expect(await readFile(join(path, 'photo.jpg'), 'utf8')).to.equal('older')
    await write(content, sample, 0, 1)
    await store.commit()
    await store.close()
    expect(same(await readFile(join(path, 'photo.jpg')), sample.bytes)).to.equal(true)
    expect(await readdir(path)).to.deep.equal(['photo.jpg'])
  })

  it('leaves nothing behind when it is closed before anything was written', async () => {
    const store = storeAt('photo.jpg')
    await store.create(sample.header)
    expect(await readdir(path)).to.not.have.length(0)
    await store.close()
    expect(await readdir(path)).to.deep.equal([])
  })

  it('goes on with what an earlier one left, and with no part of another content', async () => {
    const store = storeAt('photo.jpg')
    await write(await store.create(sample.header), sample, 0, 1)
    await store.close()
    const other = await sampleOf(2, BLOCK_BYTES + 1)
    const another = storeAt('photo.jpg', other)
    expect(await another.open(other.header.fullHash)).to.equal(undefined)
    const again = storeAt('photo.jpg')
    const content = await again.open(sample.header.fullHash)
    expect(content?.held).to.deep.equal([[0, 1]])
    await write(content!, sample, 1, 1)
    await again.commit()
    expect(same(await readFile(join(path, 'photo.jpg')), sample.bytes)).to.equal(true)
    expect(await readdir(path)).to.deep.equal(['photo.jpg'])
  })

  it('shares its part with nobody else at the same time, and both get the file', async () => {
    const [first, second] = [storeAt('photo.jpg'), storeAt('photo.jpg')]
    const contents = [await first.create(sample.header), await second.create(sample.header)]
    for (const content of contents) await write(content, sample, 0, 1)
    await write(contents[0]!, sample, 1, 1)
    await first.commit()
    expect(same(await contents[1]!.read(0, 1), blocks(sample, 0, 1))).to.equal(true)
    await write(contents[1]!, sample, 1, 1)
    await second.commit()
    expect(same(await readFile(join(path, 'photo.jpg')), sample.bytes)).to.equal(true)
    expect(await readdir(path)).to.deep.equal(['photo.jpg'])
  })

  it('takes over from a process that was killed, and not from one that lives', async () => {
    const lock = join(path, `.photo.jpg.${sample.header.fullHash.slice(0, 16)}.lock.part`)
    const store = storeAt('photo.jpg')
    await write(await store.create(sample.header), sample, 0, 1)
    await store.close()
    // The process that started this one lives; none has such a number.
    await writeFile(lock, String(process.ppid))
    expect(await storeAt('photo.jpg').open(sample.header.fullHash)).to.equal(undefined)
    await writeFile(lock, String(2 ** 30))
    const again = storeAt('photo.jpg')
    expect((await again.open(sample.header.fullHash))?.held).to.deep.equal([[0, 1]])
    await again.delete(sample.header.fullHash)
    expect(await readdir(path)).to.deep.equal([])
  })

  it('makes an empty file of the empty content', async () => {
    const empty = await sampleOf(1, 0)
    const store = storeAt('empty', empty)
    await store.create(empty.header)
    await store.commit()
    expect(await readFile(join(path, 'empty'), 'utf8')).to.equal('')
  })

  it('refuses a folder, another content, and a place that is not there', async () => {
    await mkdir(join(path, 'folder'))
    expect(await reasonOf(storeAt('folder').create(sample.header))).to.contain('is a folder')
    const second = { ...sample.header, fullHash: '2'.repeat(64) as FullHash }
    expect(await reasonOf(storeAt('file').create(second))).to.equal('this file is for another content')
    const nowhere = new FileStore(join(path, 'nowhere', 'file'), sample.header.fullHash)
    expect(await reasonOf(nowhere.create(sample.header))).to.contain('ENOENT')
    expect(await readdir(path)).to.deep.equal(['folder'])
  })

  describe('in a folder that others may write to', () => {
    const LENGTH = BLOCK_BYTES + 3_616
    const part = (): string => join(path, `.photo.jpg.${sample.header.fullHash.slice(0, 16)}.part`)
    const record = (): string => join(path, `.photo.jpg.${sample.header.fullHash.slice(0, 16)}.record.part`)
    const lock = (): string => join(path, `.photo.jpg.${sample.header.fullHash.slice(0, 16)}.lock.part`)

    /** A part that an earlier run left, so that there is a record that fits. */
    async function leavePart(): Promise<void> {
      const store = storeAt('photo.jpg')
      await write(await store.create(sample.header), sample, 0, 1)
      await store.close()
    }

    async function fetchesAll(): Promise<void> {
      const store = storeAt('photo.jpg')
      await write(await store.create(sample.header), sample, 0, 2)
      await store.commit()
      await store.close()
      same(await readFile(join(path, 'photo.jpg')), sample.bytes)
    }

    it('overwrites nothing that a link beside it names', async () => {
      const victim = join(path, 'victim')
      await writeFile(victim, Buffer.alloc(LENGTH, 'v'))
      for (const plant of [symlink, link]) {
        await leavePart()
        await rm(part())
        await plant(victim, part())
        await fetchesAll()
        expect(await readFile(victim, 'utf8')).to.equal('v'.repeat(LENGTH))
        await rm(join(path, 'photo.jpg'))
      }
      await leavePart()
      await rename(record(), join(path, 'kept'))
      await symlink(join(path, 'kept'), record())
      const before = await readFile(join(path, 'kept'))
      await fetchesAll()
      expect((await readFile(join(path, 'kept'))).equals(before)).to.equal(true)
    })

    it('waits for no pipe', async () => {
      await leavePart()
      for (const place of [part, record, lock]) {
        await rm(place(), { force: true })
        execFileSync('mkfifo', [place()])
        await fetchesAll()
        await rm(join(path, 'photo.jpg'))
        await leavePart()
      }
    })

    it('uses another name where what is beside it cannot be removed', async () => {
      for (const place of [part, record, lock]) await mkdir(join(place(), 'full'), { recursive: true })
      await fetchesAll()
    })
  })
})
