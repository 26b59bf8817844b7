import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { fromHex, isMediatorId } from '@mayfly/common'
import { keepSeed, mediatorIdOf, newSeed } from '../src/identity.js'

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error
  )
}

describe('mediatorIdOf', () => {
  it('is the Ed25519 public key of the seed', () => {
    // RFC 8032, section 7.1, test 1.
    const seed = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')
    expect(mediatorIdOf(seed)).to.equal('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
    expect(isMediatorId(mediatorIdOf(newSeed()))).to.equal(true)
    expect(mediatorIdOf(newSeed())).not.to.equal(mediatorIdOf(newSeed()))
  })
})

describe('keepSeed', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mayfly-mediator-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  it('gives the same seed every time, in a folder that it makes', async () => {
    const directory = join(folder, 'a', 'b')
    const seed = await keepSeed(directory)
    expect(seed).to.have.length(32)
    expect(await keepSeed(directory)).to.deep.equal(seed)
  })

  it('leaves one file that only its owner can read', async () => {
    await keepSeed(folder)
    expect(await readdir(folder)).to.deep.equal(['mediator-key'])
    expect((await stat(join(folder, 'mediator-key'))).mode & 0o777).to.equal(0o600)
  })

  it('gives all who start at once the same seed', async () => {
    const seeds = await Promise.all([keepSeed(folder), keepSeed(folder), keepSeed(folder)])
    expect(new Set(seeds.map(seed => Buffer.from(seed).toString('hex'))).size).to.equal(1)
  })

  it('rejects where the file holds something else, and leaves it alone', async () => {
    await writeFile(join(folder, 'mediator-key'), 'hello')
    expect(await failure(keepSeed(folder)))
      .to.be.an('error')
      .with.property('message')
      .that.includes('mediator-key')
    expect(await failure(keepSeed(join(folder, 'mediator-key')))).to.be.an('error')
  })
})
