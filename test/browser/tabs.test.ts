import { expect } from 'chai'
import type { Page } from 'playwright-core'
import type * as Mayfly from '../../peer/src/page/index.js'
import { Site } from './site.js'
import { World } from './world.js'

const RELOADS = 3
const LENGTHS = [4_000_000, 3_000_001]
const SEEDER_BYTES_PER_SECOND = 1_500_000

type Library = { readonly mayfly: typeof Mayfly; progress: () => number[]; digests: () => Promise<string[]> }

describe('two tabs of one visitor', function () {
  this.timeout(90_000)
  let world: World
  let site: Site

  before(async () => {
    world = await World.shared()
    site = await new Site().start()
  })
  after(async () => {
    expect(await world.leave(/favicon|404/)).to.deep.equal([])
    site.close()
  })

  /** Runs in a page: goes on with both contents, the first of them in both tabs. */
  const fetchAll = (page: Page, hashes: readonly string[]): Promise<void> =>
    page.evaluate(
      ([mediator, all]) => {
        const here = globalThis as unknown as Library
        here.mayfly.connect(mediator, { store: 'indexeddb' })
        const downloads = all.map(fullHash => here.mayfly.get(fullHash))
        here.progress = () => downloads.map(download => download.progress.verifiedBytes)
        here.digests = () =>
          Promise.all(
            downloads.map(async download =>
              String(new Uint8Array(await crypto.subtle.digest('SHA-256', await download.bytes())))
            )
          )
      },
      [world.mediator(0), hashes] as const
    )
  const progressOf = (page: Page): Promise<number[]> =>
    page.evaluate(() => (globalThis as unknown as Library).progress())

  it('reloaded three times in mid-transfer lose nothing @long', async () => {
    const seeder = await world.visit(site.base)
    const seeded = await seeder.evaluate(
      async ([mediator, lengths, bytesPerSecond]) => {
        const { mayfly } = globalThis as unknown as Library
        const session = mayfly.connect(mediator, { upload: { bytesPerSecond } })
        const all: [fullHash: string, digest: string][] = []
        for (const [i, length] of lengths.entries()) {
          const bytes = new Uint8Array(length).map((_, at) => (at * 7 + (at >> 9) + i) & 0xff)
          const digest = String(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
          all.push([await session.seed(bytes), digest])
        }
        return all
      },
      [world.mediator(0), LENGTHS, SEEDER_BYTES_PER_SECOND] as const
    )
    const hashes = seeded.map(([fullHash]) => fullHash)
    const first = await world.visit(site.base)
    const second = await first.context().newPage()
    await second.goto(site.base)
    const tabs = [
      { page: first, hashes },
      { page: second, hashes: hashes.slice(0, 1) }
    ]
    for (const { page, hashes: wanted } of tabs) await fetchAll(page, wanted)
    for (let reload = 0; reload < RELOADS; reload++) {
      for (const { page, hashes: wanted } of tabs) {
        const before = await progressOf(page)
        await page.waitForFunction(
          ([least, lengths]) =>
            (globalThis as unknown as Library)
              .progress()
              .some((bytes, i) => bytes === lengths[i] || bytes > least[i]! + 200_000),
          [before, LENGTHS] as const,
          { timeout: 20_000 }
        )
        await page.reload()
        await fetchAll(page, wanted)
        await page.waitForFunction(
          least => (globalThis as unknown as Library).progress().every((bytes, i) => bytes >= least[i]!),
          before,
          { timeout: 20_000 }
        )
      }
    }
    for (const { page, hashes: wanted } of tabs) {
      const digests = await page.evaluate(() => (globalThis as unknown as Library).digests())
      expect(digests).to.deep.equal(seeded.slice(0, wanted.length).map(([, digest]) => digest))
    }
  })
})
