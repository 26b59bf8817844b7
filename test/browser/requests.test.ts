import { expect } from 'chai'
import { readFile } from 'node:fs/promises'
import type { Download, Page } from 'playwright-core'
import type { RequestsPart } from '../../peer/src/site/parts.js'
import { holds } from './seeded.js'
import { TaggedSite, noise, noisePng } from './tagged-site.js'
import { World } from './world.js'

const MIB = 1_048_576
const LENGTH = 17 * MIB

describe('the script tag’s requests', function () {
  this.timeout(30_000)
  let world: World
  let site: TaggedSite
  const archive = noise(5, LENGTH)

  before(async () => (world = await World.shared()))
  beforeEach(async () => {
    site = await new TaggedSite().start()
    for (let i = 0; i < 4; i++) await site.add(`/image/${i}.png`, 'image/png', noisePng(i + 1, 20_000))
    const fullHash = await site.add('/some archive.zip', 'application/zip', archive, true)
    await site.add('/off.zip', 'application/zip', 'switched off')
    site.nameAll({ off: ['off.zip'] })
    const mediator = world.mediator(0)
    // Nothing in line, nothing evaluated, and links are all that there is.
    site.headers = {
      'content-security-policy': `default-src 'none'; script-src 'self'; img-src 'self' blob:; connect-src 'self' ${mediator}`
    }
    site.pages.set(
      '/',
      `<!doctype html><title>site</title><script src="/mayfly.js" data-mediators="${mediator}" data-upload-max="1GB"
      data-upload-rate="10MB" data-origin-after-ms="8000" data-manifest="/mayfly-manifest.json"></script>
      <a id="archive" download data-mayfly="${fullHash}" href="/some%20archive.zip">archive</a>
      <a id="off" download="x.zip" data-mayfly="${site.files.get('/off.zip')?.fullHash}" href="/off.zip">off</a>`
    )
  })
  afterEach(async () => {
    expect(await world.leave(/favicon|404|ERR_|Failed to load/)).to.deep.equal([])
    site.close()
  })

  /** A page whose links are looked after. */
  const visit = async (): Promise<Page> => {
    const page = await world.visit(site.base)
    await page.waitForFunction(() => 'requests' in (globalThis as unknown as Scope).mayfly.parts)
    return page
  }
  const prefetch = (page: Page, addresses: readonly string[]): Promise<(string | undefined)[]> =>
    page.evaluate(async all => {
      const got = await (globalThis as unknown as Scope).mayfly.prefetch(all)
      return got.map(({ source }) => source)
    }, addresses)
  /** Reads a range and tells its status, length and first byte. */
  const read = (page: Page, url: string, range: string): Promise<number[]> =>
    page.evaluate(
      async ([address, of]) => {
        const response = await (globalThis as unknown as Scope).mayfly.fetch(address, { range: of })
        const bytes = new Uint8Array(await response.arrayBuffer())
        return [response.status, bytes.length, bytes[0] ?? -1]
      },
      [url, range] as const
    )
  const bytesFrom = (page: Page, source: string): Promise<number> =>
    page.evaluate(
      by =>
        performance
          .getEntriesByName('mayfly')
          .map(entry => (entry as PerformanceMeasure).detail as { source: string; bytes: number })
          .filter(one => one.source === by)
          .reduce((sum, { bytes }) => sum + bytes, 0),
      source
    )
  const clicked = async (page: Page, id: string): Promise<Download> => {
    const download = page.waitForEvent('download')
    await page.click(id)
    return download
  }

  it('bring ranges, what later pages need, and downloads from the visitor before, without the whole library', async () => {
    const images = [0, 1, 2, 3].map(i => `/image/${i}.png`)
    const first = await visit()
    await first.evaluate(
      async all => {
        const { mayfly } = globalThis as unknown as Scope
        for (const url of all) await (await mayfly.fetch(url)).arrayBuffer()
      },
      [...images, '/some archive.zip']
    )
    await holds(first, images.length + 17 + 1, world.mediator(0))

    const second = await visit()
    site.asked.clear()
    expect(await prefetch(second, [...images, '/off.zip', '/none.png'])).to.deep.equal([
      ...Array<string>(4).fill('peer'),
      undefined,
      undefined
    ])
    expect(site.askedFor('/image/')).to.equal(0)
    site.delayMs = 1_000
    const range = `bytes=${5 * MIB}-${8 * MIB - 1}`
    expect(await read(second, '/some%20archive.zip', range)).to.deep.equal([206, 3 * MIB, archive[5 * MIB]])
    const saved = await clicked(second, '#archive')
    expect(saved.url()).to.match(/^blob:/)
    expect(saved.suggestedFilename()).to.equal('some archive.zip')
    expect(Buffer.compare(await readFile(await saved.path()), archive)).to.equal(0)
    expect(await bytesFrom(second, 'peer')).to.be.at.least(15 * MIB)
    const scripts = await second.evaluate(() =>
      performance.getEntriesByType('resource').map(({ name }) => name.slice(name.lastIndexOf('/') + 1))
    )
    expect(scripts).to.include('mayfly-requests.js')
    expect(scripts).not.to.include('mayfly-library.js')
  })

  it('call a download as the server does, and leave to the browser what only it can know in time', async () => {
    const page = await visit()
    const NAMES: readonly (readonly [header: string, name: string, isOurs: boolean])[] = [
      ['attachment; filename="Annual report.zip"', 'Annual report.zip', true],
      ["attachment; filename=x; filename*=UTF-8''%C3%BCbersicht.zip", 'übersicht.zip', true],
      ['attachment', 'some archive.zip', true],
      ['attachment; filename="a%20b.zip"', 'a b.zip', false]
    ]
    for (const [header, name, isOurs] of NAMES) {
      site.fileHeaders = { 'content-disposition': header }
      const saved = await clicked(page, '#archive')
      expect([saved.suggestedFilename(), saved.url().startsWith('blob:')]).to.deep.equal([name, isOurs])
    }
    site.fileHeaders = {}
    site.delayMs = 2_000
    const late = await clicked(page, '#archive')
    expect(late.url()).to.equal(`${site.base}some%20archive.zip`)
  })

  it('leave downloads to the browser that are switched off, cannot be had, or are wanted otherwise', async () => {
    const page = await visit()
    const off = await clicked(page, '#off')
    expect([off.suggestedFilename(), off.url()]).to.deep.equal(['x.zip', `${site.base}off.zip`])
    // What the site has is something else by now: nobody can verify it.
    const other = 'something else'
    site.files.set('/some archive.zip', { type: 'application/zip', bytes: Buffer.from(other), fullHash: '' })
    const changed = await clicked(page, '#archive')
    expect(changed.url()).to.equal(`${site.base}some%20archive.zip`)
    expect(await readFile(await changed.path(), 'utf8')).to.equal(other)
    const prevented = await page.evaluate(() => {
      const link = document.querySelector('#archive')!
      return ['ctrlKey', 'shiftKey', 'metaKey', 'altKey'].map(key => {
        const event = new MouseEvent('click', { bubbles: true, cancelable: true, [key]: true })
        // Seen after all other listeners; then nothing is opened.
        let isTaken = true
        addEventListener('click', () => (isTaken = event.defaultPrevented), { once: true })
        addEventListener('click', one => one.preventDefault(), { once: true })
        link.dispatchEvent(event)
        return isTaken
      })
    })
    expect(prevented).to.deep.equal([false, false, false, false])
  })

  it('has the browser go on with a download when the page is left, where the site answers before the next page does', async () => {
    const page = await visit()
    site.delayMs = 3_000
    let begun = 0
    page.on('download', () => begun++)
    await page.click('#archive')
    while (!site.asked.get('/some archive.zip')) await page.waitForTimeout(20)
    expect(begun).to.equal(0)
    site.delayMs = 0
    const download = page.waitForEvent('download', { timeout: 5_000 })
    // The browser forgets what was not answered before the next page is.
    await page.route('**/next', async route => {
      await download
      await route.fulfill({ body: 'next' })
    })
    await page.goto(`${site.base}next`)
    expect((await download).url()).to.equal(`${site.base}some%20archive.zip`)
  })
})

interface Scope {
  readonly mayfly: RequestsPart & { readonly parts: object }
}
