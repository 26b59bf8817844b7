import { expect } from 'chai'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { Command } from '../integration/command.js'
import { FolderSite } from './folder-site.js'
import { holds } from './seeded.js'
import { SpectreDocs } from './spectre-docs.js'
import { World } from './world.js'

/** Two pages of it: images that only the second has, and some that both have. */
const FIRST = 'elements/media.html'
const FURTHER = 'components/cards.html'

/** Bytes of files of the manifest, each file once. */
interface Bytes {
  readonly fromPeers: number
  readonly fromCache: number
  /** As the site counts. */
  readonly fromSite: number
}

describe("somebody else's site that `mayfly prepare` has made ready", function () {
  this.timeout(60_000)
  let world: World
  let docs: SpectreDocs
  let site: FolderSite
  let lengths: ReadonlyMap<string, number>

  before(async () => {
    world = await World.shared()
    docs = await SpectreDocs.copy()
    const mediators = ['--mediator', world.mediator(0), '--mediator', world.mediator(1)]
    const prepared = await Command.run([
      'prepare',
      docs.folder,
      ...mediators,
      '--eager-images',
      '1',
      '--sizes'
    ])
    expect(prepared.code).to.equal(0)
    const { files } = JSON.parse(await readFile(join(docs.folder, 'mayfly-manifest.json'), 'utf8')) as {
      files: Record<string, { length: number }>
    }
    lengths = new Map(Object.entries(files).map(([path, { length }]) => [path, length]))
    site = await new FolderSite(docs.folder).start()
    site.patienceMs = 4_000
  })
  afterEach(async () => {
    // It has scripts of two other sites, which tests do not fetch.
    expect(await world.leave(/Content Security Policy|docsearch|Failed to load/)).to.deep.equal([])
  })
  after(async () => {
    site?.close()
    await docs?.remove()
  })

  /** Looks at a page from the top to its end, until all images are there. */
  const read = (page: Page): Promise<void> =>
    page.evaluate(async () => {
      // What is in the first viewport is seen first.
      for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame)
      for (const image of document.images) {
        image.scrollIntoView()
        while (image.checkVisibility() && (!image.complete || image.naturalWidth === 0))
          await new Promise(resolve => setTimeout(resolve, 20))
      }
    })

  /** What of the manifest came from where since `site.sent` was cleared. */
  async function counted(page: Page): Promise<Bytes> {
    const told = await page.evaluate(() =>
      performance.getEntriesByName('mayfly').map(entry => {
        const { url, source } = (entry as PerformanceMeasure).detail as { url: string; source: string }
        return { path: new URL(url, location.href).pathname.slice(1), source }
      })
    )
    const sum = (paths: Iterable<string>): number =>
      [...new Set(paths)].reduce((bytes, path) => bytes + (lengths.get(path) ?? 0), 0)
    // What was shown once is there when it is shown again.
    const peers = new Set(told.filter(({ source }) => source === 'peer').map(({ path }) => path))
    const cached = told.filter(({ path, source }) => source === 'cache' && !peers.has(path))
    return {
      fromPeers: sum(peers),
      fromCache: sum(cached.map(({ path }) => path)),
      fromSite: [...site.sent].reduce((bytes, [path, sent]) => bytes + (lengths.has(path) ? sent : 0), 0)
    }
  }

  const shareOf = ({ fromPeers, fromSite }: Bytes): number => fromPeers / (fromPeers + fromSite)

  it('comes from the visitor before: 60 % of its files for a newcomer, 90 % on a further page @long', async () => {
    const before = await world.visit(site.base + FIRST)
    await read(before)
    await before.goto(site.base + FURTHER)
    await read(before)
    // Six photos and the logo.
    await holds(before, 7, world.mediator(0))

    site.sent.clear()
    const newcomer = await world.visit(site.base + FIRST)
    await read(newcomer)
    await newcomer.evaluate(() => navigator.serviceWorker.ready)
    const first = await counted(newcomer)
    expect(first.fromCache).to.equal(0)
    expect(shareOf(first), JSON.stringify(first)).to.be.at.least(0.6)
    // What the browser fetched by itself is kept when the page has nothing better to do.
    await holds(newcomer, 4, world.mediator(0))

    site.sent.clear()
    await newcomer.goto(site.base + FURTHER)
    await read(newcomer)
    const further = await counted(newcomer)
    expect(shareOf(further), JSON.stringify(further)).to.be.at.least(0.9)
    expect(further.fromPeers).to.be.greaterThan(400_000)
  })
})
