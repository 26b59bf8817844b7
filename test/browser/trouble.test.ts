import { expect } from 'chai'
import { mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { card, song, text } from './content.js'
import { World, startMediator, through } from './world.js'

const NOBODY = 'ab'.repeat(32)
const CHANGED = 'The file was changed, moved or deleted since it was chosen.'
/** Chromium itself reports a WebSocket that it cannot open. */
const NO_SOCKET = /^WebSocket connection to /

describe('what goes wrong on the pages', function () {
  this.timeout(60_000)
  let world: World

  before(async () => {
    world = await World.shared()
  })
  afterEach(async () => {
    expect(await world.leave(NO_SOCKET), 'complaints of the pages').to.deep.equal([])
  })

  it('is a link that means nothing', async () => {
    for (const fragment of [
      '#hello',
      '#f=',
      '#f=zz,1,,x',
      `#f=${NOBODY}0`,
      '#f=%',
      '#m=javascript:alert(1)&f=<b>'
    ]) {
      const page = await world.visit(`leecher_preview.html${fragment}`)
      await page.getByText('This is neither a link nor a full hash').waitFor()
      expect(await page.locator('li.file').count()).to.equal(0)
    }
  })

  it('is a link that tries to put markup and folders into the page', async () => {
    const name = encodeURIComponent('../<img src=x onerror=alert(1)>\u202egpj.exe')
    const page = await world.visit(
      `leecher_preview.html#m=${world.mediator(0)}&f=${NOBODY},5,text/html,${name}`
    )
    const heading = await page.locator('li.file h3').textContent()
    expect(heading).to.equal('__img src=x onerror=alert(1)__gpj.exe')
    expect(await page.locator('li.file img').count()).to.equal(0)
  })

  it('is a link to so much that the visitor is asked first', async () => {
    const page = await world.visit(
      `leecher_preview.html#m=${world.mediator(0)}&f=${NOBODY},9000000000,,film.mp4`
    )
    await page.getByText('Not fetched yet').waitFor()
    await page.getByRole('button', { name: 'Get film.mp4' }).click()
    await page.getByText('Looking for someone who has it…').waitFor()
    await page.getByRole('button', { name: 'Cancel film.mp4' }).click()
    await page.getByText('Cancelled').waitFor()
  })

  it('is a mediator that does not answer, until it does', async () => {
    const gone = await startMediator()
    await gone.process.stop()
    const page = await world.visit(`leecher_preview.html#m=${gone.url}&f=${NOBODY},5,,x.txt`)
    await page.getByText(/No answer from mediator .* Trying again…/).waitFor()
    await page.getByText('Waiting for a mediator to answer…').waitFor()
    await page.getByText(/No answer from mediator/).click()
    await page.getByLabel('Mediator addresses').fill('ftp://files.example')
    await page.getByRole('button', { name: 'Connect' }).click()
    await page.getByText('is not an address').waitFor()
    await page
      .getByLabel('Mediator addresses')
      .fill(`${world.mediator(0).slice('ws://'.length)}\n${gone.url}`)
    await page.getByRole('button', { name: 'Connect' }).click()
    await page.getByText('Connected to mediator').waitFor()
    await page.getByText('Looking for someone who has it…').waitFor()
    expect(await remembered(page)).to.deep.equal([world.mediator(0), gone.url])
  })

  for (const times of ['says when', 'looks as before'] as const) {
    it(`is a file that was changed while it is shared, and ${times}: it never arrives wrong @long`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'mayfly-changed-'))
      const path = join(folder, 'notes.txt')
      try {
        await writeFile(path, 'a'.repeat(100_000))
        const { atime, mtime } = await stat(path)
        const { page: seeder, link } = await world.share([path])
        await writeFile(path, 'b'.repeat(100_000))
        if (times === 'looks as before') await utimes(path, atime, mtime)
        else await utimes(path, 1, 1)
        const leecher = await world.visit(link)
        await seeder.getByText(CHANGED).waitFor()
        await card(leecher, 'notes.txt')
          .getByText(/Looking for|lost|wrong|Nobody/i)
          .first()
          .waitFor()
        expect(await leecher.getByText('bbbb').count()).to.equal(0)
      } finally {
        await rm(folder, { recursive: true })
      }
    })
  }

  it('is a file that is no longer shared @long', async () => {
    const sent = song()
    const { page: seeder, link } = await world.share([sent, text('kept.txt', 'This one stays.')])
    await seeder.getByRole('button', { name: `Stop sharing ${sent.name}` }).click()
    await seeder.getByText('Link for 1 file').waitFor()
    const leecher = await world.visit(through(link, world.mediator(0)))
    await leecher.getByText('This one stays.').waitFor()
    await card(leecher, sent.name).getByText('Looking for someone who has it…').waitFor()
  })
})

/** What the page keeps for the next visit. */
function remembered(page: Page): Promise<unknown> {
  return page.evaluate(() => JSON.parse(localStorage.getItem('mayfly.mediators') ?? 'null'))
}
