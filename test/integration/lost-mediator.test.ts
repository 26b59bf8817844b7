import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { RawClient } from '../../mediator/test/conformance/raw-client.js'
import { randomPeerId } from '../../mediator/test/conformance/random-id.js'
import { eventually } from '../../mediator/test/conformance/time.js'
import { until } from '../../peer/test/until.js'
import { Command } from './command.js'
import { Scene, mediatorFlags } from './scene.js'

const LENGTH = 3_000_000
const SLOW = { upload: { bytesPerSecond: 1_500_000 } }

describe('a mediator killed in the middle of a transfer', function () {
  this.timeout(60_000)
  let scene: Scene
  let bytes: Buffer

  beforeEach(async () => {
    scene = await Scene.open(2)
    bytes = randomBytes(LENGTH)
  })
  afterEach(() => scene?.close())

  it('does not stop it; the peers are back at another one, seeding, and a third finds them there', async () => {
    const seeder = await scene.session(scene.urls(), SLOW)
    const fullHash = await seeder.seed(bytes)
    await seeder.announced(fullHash)
    const leecher = await scene.session(scene.urls())
    const download = leecher.get(fullHash)
    await until(() => download.progress.verifiedBytes > LENGTH / 8)
    await scene.mediators[0]!.kill()
    await until(() => [seeder, leecher].every(({ mediator }) => mediator.state !== 'established'))
    expect(download.progress.state).to.equal('downloading')
    await until(() => [seeder, leecher].every(({ mediator }) => mediator.state === 'established'))
    expect([seeder, leecher].map(({ mediator }) => mediator.url)).to.deep.equal([scene.url(1), scene.url(1)])
    expect(Buffer.compare(await download.bytes(), bytes)).to.equal(0)
    expect(leecher.mediator.url).to.equal(scene.url(1))
    await leecher.announced(fullHash)
    const third = await scene.session([scene.url(1)])
    const again = third.get(fullHash)
    expect(Buffer.compare(await again.bytes(), bytes)).to.equal(0)
    await until(() => again.progress.peers.length === 2)
    const from = again.progress.peers.map(({ peerId }) => peerId)
    expect(from).to.have.members([seeder.peerId, leecher.peerId])
  })

  it('does not stop it where the peers learned of the other mediator from this one only', async () => {
    await eventually(async () => expect(await namedBy(scene.url(0))).to.deep.equal([scene.url(1)]), 15_000)
    const seeder = await scene.session([scene.url(0)], SLOW)
    const fullHash = await seeder.seed(bytes)
    await seeder.announced(fullHash)
    const leecher = await scene.session([scene.url(0)])
    const download = leecher.get(fullHash)
    await until(() => download.progress.verifiedBytes > LENGTH / 8)
    await scene.mediators[0]!.kill()
    expect(Buffer.compare(await download.bytes(), bytes)).to.equal(0)
    await until(() => [seeder, leecher].every(({ mediator }) => mediator.url === scene.url(1)), 20_000)
    const third = await scene.session([scene.url(1)])
    expect(Buffer.compare(await third.get(fullHash).bytes(), bytes)).to.equal(0)
  })

  it('does not stop mayfly get, and mayfly seed goes on at the other one', async () => {
    const path = scene.path('from.bin')
    await writeFile(path, bytes)
    const seeder = await scene.seed([path])
    const [seeding] = seeder.seeding
    // A second seeder that gives slowly: the transfer is under way for long enough.
    const flags = mediatorFlags(scene.urls())
    const big = await scene.session(scene.urls(), SLOW)
    const slowHash = await big.seed(bytes.subarray(1))
    await big.announced(slowHash)
    const target = scene.path('to.bin')
    const getting = scene.start(['get', slowHash, ...flags, '-o', target])
    await until(() => (big.uploads[0]?.sentBytes ?? 0) > LENGTH / 8, 20_000)
    await scene.mediators[0]!.kill()
    expect(await getting.end(30_000)).to.deep.equal({ code: 0, signal: null, stdout: '', stderr: '' })
    expect((await readFile(target)).equals(bytes.subarray(1))).to.equal(true)
    await seeder.until(({ stderr }) => stderr.includes('was lost'))
    const third = scene.path('third.bin')
    const last = ['get', seeding!.fullHash, '--mediator', scene.url(1), '-o', third]
    expect((await Command.run(last, { withinMs: 40_000 })).code).to.equal(0)
    expect((await readFile(third)).equals(bytes)).to.equal(true)
    expect(seeder.seeding).to.have.length(1)
  })

  it('leaves both peers at no mediator until it is back, and then they are found there @long', async () => {
    const [only] = scene.mediators
    await scene.mediators[1]!.kill()
    const seeder = await scene.session([only!.url], SLOW)
    const fullHash = await seeder.seed(bytes)
    await seeder.announced(fullHash)
    const download = (await scene.session([only!.url])).get(fullHash)
    await until(() => download.progress.verifiedBytes > LENGTH / 8)
    await only!.kill()
    expect(Buffer.compare(await download.bytes(), bytes)).to.equal(0)
    const mediatorPort = Number(new URL(only!.url).port)
    scene.mediators.length = 0
    await scene.startMediator({ mediatorPort })
    await until(() => seeder.mediator.state === 'established', 40_000)
    const third = await scene.session([only!.url])
    expect(Buffer.compare(await third.get(fullHash).bytes(), bytes)).to.equal(0)
  })
})

/** The other mediators that a mediator names to who connects. */
async function namedBy(url: string): Promise<readonly string[]> {
  const client = await RawClient.open(url)
  try {
    return (await client.shakeHands(randomPeerId())).established?.mediators ?? []
  } finally {
    client.destroy()
  }
}
