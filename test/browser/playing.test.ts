import { expect } from 'chai'
import type { Page } from 'playwright-core'
import type * as Mayfly from '../../peer/src/page/index.js'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Scene } from '../integration/scene.js'
import { card, longSong, type TestFile } from './content.js'
import { songWithLateIndex } from './late-index.js'
import { World } from './world.js'

/** Slow enough to see what is played before it is all there, fast enough for a test. */
const BYTES_PER_SECOND = 500_000

describe('playing while it arrives', function () {
  this.timeout(60_000)
  let world: World
  let scene: Scene

  before(async () => {
    world = await World.shared()
    scene = await Scene.open(0)
  })
  afterEach(async () => {
    await scene.clear()
    expect(await world.leave(), 'complaints of the pages').to.deep.equal([])
  })
  after(() => scene?.close())

  /** A leecher page that fetches this file from a slow seeder. */
  async function fetching(file: TestFile): Promise<Page> {
    const path = scene.path(file.name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, file.buffer)
    const seeder = await scene.session([world.mediator(0)], { upload: { bytesPerSecond: BYTES_PER_SECOND } })
    const fullHash = await seeder.seedFile(path)
    await seeder.announced(fullHash)
    const { name, mimeType, buffer } = file
    const what = [fullHash, buffer.length, mimeType, encodeURIComponent(name)].join(',')
    return world.visit(`leecher_preview.html#m=${world.mediator(0)}&f=${what}`)
  }

  it('begins before a tenth of a song is there, and a seek to its end does not wait for the middle', async () => {
    const song = longSong(120)
    const page = await fetching(song)
    await card(page, song.name).locator('audio').waitFor()
    expect(await playFrom(page, 0)).to.be.lessThan(0.1)
    expect(await playFrom(page, 115)).to.be.lessThan(0.5)
  })

  it('begins before a tenth is there also where the index is at the end', async () => {
    const song = songWithLateIndex(120)
    const page = await fetching(song)
    await card(page, song.name).locator('audio').waitFor()
    expect(await playFrom(page, 0)).to.be.lessThan(0.1)
    await card(page, song.name)
      .getByText(/Ready to play from .* of 1:59/)
      .waitFor()
  })

  it('rests while it is paused, goes on, and goes on where it was after a reload @long', async () => {
    const song = longSong(60)
    const page = await fetching(song)
    await until(page, 0.1)
    await page.getByRole('button', { name: `Pause ${song.name}` }).click()
    await page.getByText(/^Paused · /).waitFor()
    const paused = await arrived(page)
    await page.getByRole('button', { name: `Resume ${song.name}` }).click()
    await until(page, paused + 0.3)
    const before = await arrived(page)
    await page.reload()
    await until(page, 0.01)
    expect(await arrived(page)).to.be.within(before - 0.1, before + 0.1)
    await card(page, song.name).getByText('every byte verified').waitFor({ timeout: 30_000 })
  })

  it('gives an address only what a page published, with the type that the page says, and never as a page', async () => {
    const page = await world.visit('leecher_preview.html')
    const found = await page.evaluate(
      async ({ mediator, drawing }) => {
        const { mayfly } = globalThis as unknown as { mayfly: Pick<typeof Mayfly, 'connect'> }
        const session = mayfly.connect(mediator)
        const serving = await session.serve({ worker: 'dist/mayfly-worker.js' })
        if (!serving.available) throw new Error(serving.reason)
        const fullHash = await session.seed(new TextEncoder().encode(drawing))
        const refused = ['text/html', 'application/xhtml+xml', 'text/xml', 'text/javascript', 'x'].filter(
          type => {
            try {
              serving.urlOf(fullHash, { type })
              return false
            } catch (error) {
              return error instanceof TypeError
            }
          }
        )
        const url = serving.urlOf(fullHash, { type: 'image/svg+xml', name: 'a drawing.svg' })
        const answer = await fetch(url, { headers: { Range: 'bytes=1-3' } })
        const beyond = await fetch(url, { headers: { Range: 'bytes=1000-' } })
        const unknown = await fetch(new URL(`mayfly/${'0'.repeat(64)}`, location.href))
        const elsewhere = await fetch(new URL(`mayfly/${'0'.repeat(64)}?from=/icon.svg`, location.href))
        await session.close()
        const closed = await fetch(url)
        const missing = await mayfly.connect(mediator).serve({ worker: 'dist/missing.js' })
        return {
          refused: refused.length,
          text: await answer.text(),
          headers: Object.fromEntries(answer.headers),
          statuses: [answer, beyond, unknown, closed].map(({ status }) => status),
          elsewhere: elsewhere.url,
          missing: missing.available ? '' : missing.reason
        }
      },
      { mediator: world.mediator(0), drawing: '<svg xmlns="http://www.w3.org/2000/svg"/>' }
    )
    expect(found.refused).to.equal(5)
    expect(found.text).to.equal('svg')
    expect(found.headers).to.include({
      'content-type': 'image/svg+xml',
      'content-range': 'bytes 1-3/41',
      'x-content-type-options': 'nosniff'
    })
    expect(found.headers['content-security-policy']).to.match(/^sandbox; default-src 'none'/)
    expect(found.statuses).to.deep.equal([206, 416, 404, 404])
    expect(found.elsewhere).to.equal(`${world.base}icon.svg`)
    expect(found.missing).to.match(/^the browser refuses the service worker/)
    expect(await world.leave(/40[46]|416|ServiceWorker script|bad HTTP response/)).to.deep.equal([])
  })
})

/** The part of the content that is there. */
function arrived(page: Page): Promise<number> {
  return page.locator('li.file progress').evaluate(bar => (bar as HTMLProgressElement).value)
}

async function until(page: Page, part: number): Promise<void> {
  await page.waitForFunction(
    least => (document.querySelector('li.file progress') as HTMLProgressElement).value >= least,
    part,
    { timeout: 30_000 }
  )
}

/** Plays from a second on. Gives the part of the content that is there as soon as it is heard. */
function playFrom(page: Page, second: number): Promise<number> {
  return page.locator('li.file audio').evaluate(async (element, from) => {
    const player = element as HTMLAudioElement
    player.muted = true
    if (from > 0) player.currentTime = from
    await player.play()
    while (player.seeking || player.currentTime <= from) {
      await new Promise(resolve => player.addEventListener('timeupdate', resolve, { once: true }))
    }
    return document.querySelector<HTMLProgressElement>('li.file progress')?.value ?? 1
  }, second)
}
