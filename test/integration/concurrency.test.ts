import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { until } from '../../peer/test/until.js'
import { failureOf } from '../../peer/test/memory-world.js'
import { Scene } from './scene.js'

describe('sessions over WebRTC', function () {
  this.timeout(60_000)
  let scene: Scene

  before(async () => {
    scene = await Scene.open(1)
  })
  afterEach(() => scene?.clear())
  after(() => scene?.close())

  it('get eight contents at once over one channel', async () => {
    const contents = Array.from({ length: 8 }, () => randomBytes(3_000_000))
    const seeder = await scene.session()
    const hashes = await Promise.all(contents.map(bytes => seeder.seed(bytes)))
    await Promise.all(hashes.map(fullHash => seeder.announced(fullHash)))
    const leecher = await scene.session()
    const downloads = hashes.map(fullHash => leecher.get(fullHash))
    const arrived = await Promise.all(downloads.map(download => download.bytes()))
    arrived.forEach((bytes, i) => expect(Buffer.compare(bytes, contents[i]!)).to.equal(0))
    expect(seeder.uploads).to.have.length(8)
    for (const { peerId } of seeder.uploads) expect(peerId).to.equal(leecher.peerId)
  })

  it('take one content from several of six seeders, and each byte once', async () => {
    const bytes = randomBytes(12_000_000)
    const options = { upload: { bytesPerSecond: 1_500_000 } }
    const seeders = await Promise.all(Array.from({ length: 6 }, () => scene.session(scene.urls(), options)))
    const hashes = await Promise.all(seeders.map(seeder => seeder.seed(bytes)))
    const fullHash = hashes[0]!
    await Promise.all(seeders.map(seeder => seeder.announced(fullHash)))
    const download = (await scene.session()).get(fullHash)
    expect(Buffer.compare(await download.bytes(), bytes)).to.equal(0)
    const { peers } = download.progress
    expect(peers.filter(peer => peer.bytes > bytes.length / 60)).to.have.length.at.least(4)
    expect(peers.reduce((sum, peer) => sum + peer.bytes, 0)).to.equal(bytes.length)
    const sent = seeders.reduce((sum, { uploads }) => sum + (uploads[0]?.sentBytes ?? 0), 0)
    expect(sent).to.be.lessThan(bytes.length * 1.2)
  })

  it('stream a content in order while it is being fetched', async () => {
    const bytes = randomBytes(6_000_000)
    const seeder = await scene.session(scene.urls(), { upload: { bytesPerSecond: 3_000_000 } })
    const fullHash = await seeder.seed(bytes)
    await seeder.announced(fullHash)
    const download = (await scene.session()).get(fullHash)
    const parts: Uint8Array[] = []
    let verifiedAtFirst: number | undefined
    for await (const part of download.stream()) {
      verifiedAtFirst ??= download.progress.verifiedBytes
      parts.push(part)
    }
    expect(Buffer.compare(Buffer.concat(parts), bytes)).to.equal(0)
    expect(verifiedAtFirst).to.be.lessThan(bytes.length / 2)
  })

  it('give a download up when its session closes, and its seeder has a free slot again', async () => {
    const bytes = randomBytes(4_000_000)
    const seeder = await scene.session(scene.urls(), { upload: { slots: 1, bytesPerSecond: 2_000_000 } })
    const fullHash = await seeder.seed(bytes)
    await seeder.announced(fullHash)
    const first = await scene.session()
    const given = first.get(fullHash)
    await until(() => given.progress.verifiedBytes > 500_000)
    await first.close()
    expect((await failureOf(given.done)).code).to.equal('closed')
    const second = await scene.session()
    expect(Buffer.compare(await second.get(fullHash).bytes(), bytes)).to.equal(0)
  })

  it('go on without a seeder whose process was killed', async () => {
    const path = await scene.file('some.bin', 16_000_000)
    const command = await scene.seed([path])
    const [{ fullHash } = { fullHash: '' }] = command.seeding
    const slow = await scene.session(scene.urls(), { upload: { bytesPerSecond: 8_000_000 } })
    await slow.announced(await slow.seedFile(path))
    const download = (await scene.session()).get(fullHash, { timeoutMs: 20_000 })
    await until(() => download.progress.peers.filter(({ bytes }) => bytes > 100_000).length === 2)
    await command.end(5_000, 'SIGKILL')
    await download.done
    expect(download.progress.verifiedBytes).to.equal(16_000_000)
  })

  it('go on without a seeder whose process hangs, and drop it', async () => {
    const path = await scene.file('some.bin', 16_000_000)
    const command = await scene.seed([path])
    const [{ fullHash } = { fullHash: '' }] = command.seeding
    const slow = await scene.session(scene.urls(), { upload: { bytesPerSecond: 8_000_000 } })
    await slow.announced(await slow.seedFile(path))
    const download = (await scene.session()).get(fullHash, { timeoutMs: 20_000 })
    await until(() => download.progress.peers.filter(({ bytes }) => bytes > 100_000).length === 2)
    command.signal('SIGSTOP')
    await download.done
    expect(download.progress.verifiedBytes).to.equal(16_000_000)
  })
})

describe('a peer that stops reading @long', function () {
  this.timeout(90_000)
  let scene: Scene

  before(async () => {
    scene = await Scene.open(1)
  })
  after(() => scene?.close())

  it('costs the seeder bounded memory, and its slot goes to the next', async () => {
    const path = await scene.file('some.bin', 60_000_000)
    const seeder = await scene.session(scene.urls(), { upload: { slots: 1 } })
    const fullHash = await seeder.seedFile(path)
    await seeder.announced(fullHash)
    const args = ['get', fullHash, '--mediator', scene.url(), '-o', scene.path('to.bin')]
    const stopped = scene.start(args)
    await until(() => (seeder.uploads[0]?.sentBytes ?? 0) > 1_000_000, 20_000)
    stopped.signal('SIGSTOP')
    const before = process.memoryUsage()
    const next = (await scene.session()).get(fullHash, { timeoutMs: 60_000 })
    await next.done
    const { external, heapUsed } = process.memoryUsage()
    const grown = external + heapUsed - before.external - before.heapUsed
    expect(grown).to.be.lessThan(60_000_000 + 32 * 1_048_576)
  })
})
