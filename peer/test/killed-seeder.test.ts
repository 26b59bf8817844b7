import { encodeSidecar } from '@mayfly/common'
import { expect } from 'chai'
import { knownContent, type KnownContent } from './lies.js'
import { MemoryWorld, bytesOf, expectSame } from './memory-world.js'

const URL = 'https://site.example/object'
const SIDECAR = `${URL}.mayfly`

/** As many as travel in one message: a run of blocks. */
const RUN_BYTES = 65_536

const KILLS = 200
const LENGTH = 800_001
const RATE = 4_000_000
const LIMITS = { upload: { bytesPerSecond: RATE }, delayMs: 20 }

/** Who has the content when its seeder is killed. */
const OTHERS = [
  'another seeder',
  'a seeder that comes later',
  'the origin only',
  'the origin only, without tree hashes'
] as const

type Others = (typeof OTHERS)[number]

describe('a download whose seeder is killed', function () {
  this.timeout(60_000)
  let content: KnownContent

  before(async () => (content = await knownContent(bytesOf(LENGTH))))

  /** How many payload bytes are delivered in all where the seeder is killed after so many ms. */
  async function deliveredBytes(
    killedAt: number,
    others: Others
  ): Promise<{ delivered: number; wasted: number }> {
    const world = new MemoryWorld()
    const { fullHash, bytes, tree } = content
    try {
      if (others.startsWith('the origin')) world.origin.serve(URL, { bytes, bytesPerMs: RATE / 1000 })
      const sidecar = encodeSidecar(tree)
      if (others === 'the origin only') world.origin.serve(SIDECAR, { bytes: sidecar })
      const fromOrigin = (): number => {
        const sidecars = world.origin.asked.filter(({ url }) => url === SIDECAR).length
        return Math.max(0, world.origin.sentBytes - sidecars * sidecar.length)
      }
      const victim = await world.seeder(bytes, LIMITS)
      if (others === 'another seeder') await world.seeder(bytes, LIMITS)
      let delivered = 0
      const leecher = world.join({ delayMs: 20, share: false, onpayload: count => void (delivered += count) })
      const origin = others === 'the origin only' ? { url: URL, sidecar: SIDECAR } : URL
      const download = leecher.get(fullHash, others.startsWith('the origin') ? { origin } : {})
      await world.until(() => download.progress.state === 'downloading')
      await world.clock.advance(killedAt)
      void victim.close()
      if (others === 'a seeder that comes later') await world.seeder(bytes, LIMITS)
      expectSame(await world.passing(download.bytes()), bytes)
      return { delivered: delivered + fromOrigin(), wasted: download.progress.wastedBytes }
    } finally {
      await world.end()
    }
  }

  async function expectOneRunAtMost(kill: number, others: Others): Promise<void> {
    const at = (kill * LENGTH * 1000) / RATE / KILLS
    const { delivered, wasted } = await deliveredBytes(at, others)
    expect(delivered - LENGTH, `killed after ${at} ms`).to.be.within(0, RUN_BYTES)
    expect(wasted).to.be.at.most(RUN_BYTES)
  }

  it(`at any of ${KILLS} moments fetches at most one run of blocks again, from whoever is left`, async () => {
    for (let kill = 0; kill < KILLS; kill++) await expectOneRunAtMost(kill, OTHERS[kill % OTHERS.length]!)
  })

  for (const others of OTHERS) {
    it(`at any of ${KILLS} moments fetches at most one run of blocks again from ${others} @long`, async () => {
      for (let kill = 0; kill < KILLS; kill++) await expectOneRunAtMost(kill, others)
    })
  }
})
