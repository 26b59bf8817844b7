import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { FullHashBuilder } from '../../common/src/index.js'
import { nodeHasher } from '../../peer/src/adapters/node-hasher.js'
import { card, digestOf, photo, save, savedBytes, song, text } from './content.js'
import { World, linkOf, through } from './world.js'

describe('a file from page to page', function () {
  this.timeout(60_000)
  let world: World

  before(async () => {
    world = await World.shared()
  })
  afterEach(async () => {
    expect(await world.leave(), 'complaints of the pages').to.deep.equal([])
  })

  for (const [mediators, other] of [
    ['one mediator', 0],
    ['two mediators', 1]
  ] as const) {
    it(`arrives through ${mediators}, is shown, and is saved byte for byte`, async () => {
      const sent = photo()
      const seeder = await world.visit(`seeder_preview.html#m=${world.mediator(0)}`)
      await drop(seeder, sent)
      const link = through(await linkOf(seeder), world.mediator(other))
      const leecher = await world.visit(link)
      const image = card(leecher, sent.name).locator('img')
      await image.waitFor()
      const size = await image.evaluate(async element => {
        const picture = element as HTMLImageElement
        await picture.decode()
        return [picture.naturalWidth, picture.naturalHeight]
      })
      expect(size).to.deep.equal([900, 600])
      expect((await savedBytes(leecher, sent.name)).equals(sent.buffer)).to.equal(true)
      expect((await save(leecher, sent.name)).suggestedFilename()).to.equal(sent.name)
      await seeder.getByText(world.mediator(0).slice(5)).waitFor()
      await leecher.getByText(`Connected to mediator ${world.mediator(other).slice(5)}`).waitFor()
    })
  }

  it('comes from the site itself where nobody else has it, and the page says so', async () => {
    const { name, mimeType, buffer } = photo()
    const builder = new FullHashBuilder(nodeHasher)
    await builder.update(new Uint8Array(buffer))
    const { fullHash, length } = await builder.finish()
    const link = `leecher_preview.html#m=${world.mediator(0)}&f=${fullHash},${length},${mimeType},${encodeURIComponent(name)},/files/photo.jpg`
    const leecher = await world.visit(link)
    await card(leecher, name).locator('img').waitFor()
    await card(leecher, name).locator('.swatch.origin').waitFor()
    expect((await savedBytes(leecher, name)).equals(buffer)).to.equal(true)
  })

  it('is two names of one content, and two files of one name, of which each arrives and one is sent', async () => {
    const same = 'The same text twice. '.repeat(5_000)
    const files = [text('chapter 1.txt', same), text('chapter 2.txt', same)]
    const { page: seeder, link } = await world.share([
      ...files,
      text('__init__.py', ''),
      text('__init__.py', '')
    ])
    const leecher = await world.visit(link)
    await leecher.getByText('4 of 4 files arrived').waitFor()
    expect(await leecher.locator('li.file h3').allTextContents()).to.deep.equal([
      'chapter 1.txt',
      'chapter 2.txt',
      '__init__.py',
      '__init__.py'
    ])
    for (const { name, buffer } of files)
      expect((await savedBytes(leecher, name)).equals(buffer)).to.equal(true)
    await seeder.getByText('Nobody is fetching right now · 105 kB sent').waitFor()
  })

  it('arrives by a link as HTML writes it, with what a sentence puts behind it', async () => {
    const { link } = await world.share([text('notes.txt', 'They hatch at dusk.')])
    const leecher = await world.visit(`${link.replaceAll('&', '&amp;')}).`)
    await leecher.getByText('They hatch at dusk.').waitFor()
    expect(await leecher.locator('li.file h3').allTextContents()).to.deep.equal(['notes.txt'])
  })

  it('is several files in one link: a photo, a song, a text and an empty file', async () => {
    const files = [photo(), song(), text('notes.txt', 'They hatch at dusk.\n'), text('nothing.txt', '')]
    const { page: seeder, link } = await world.share(files)
    const leecher = await world.visit(link)
    await leecher.getByText('4 of 4 files arrived').waitFor()
    const audio = card(leecher, 'evening song.wav').locator('audio')
    const seconds = await audio.evaluate(async element => {
      const player = element as HTMLAudioElement
      if (player.readyState === 0)
        await new Promise(resolve => player.addEventListener('loadedmetadata', resolve))
      return player.duration
    })
    expect(seconds).to.equal(4)
    expect(await card(leecher, 'notes.txt').locator('pre').textContent()).to.equal('They hatch at dusk.\n')
    await card(leecher, 'nothing.txt').getByText('This file is empty.').waitFor()
    for (const { name, buffer } of files) {
      expect((await savedBytes(leecher, name)).equals(buffer), name).to.equal(true)
    }
    await seeder.getByText(/Nobody is fetching right now · 1\d\d kB sent/).waitFor()
  })

  it('is as large as the node binary @long', async () => {
    const { size } = statSync(process.execPath)
    const { page: seeder, link } = await world.share(process.execPath)
    const leecher = await world.visit(through(link, world.mediator(1)))
    await seeder.getByText('1 person is fetching now').waitFor()
    const name = basename(process.execPath)
    await card(leecher, name).getByText('every byte verified').waitFor({ timeout: 50_000 })
    expect(await card(leecher, name).locator('canvas').getAttribute('aria-label')).to.match(
      /100 % here, from 1 peer/
    )
    const saved = await save(leecher, name)
    expect(statSync(await saved.path()).size).to.equal(size)
    expect(await digestOf(await saved.path())).to.equal(await digestOf(process.execPath))
  })

  it('comes from the first visitor too, when there are two', async () => {
    const sent = song()
    const { page: seeder, link } = await world.share(sent)
    const first = await world.visit(link)
    await card(first, sent.name).getByText('every byte verified').waitFor()
    await seeder.close({ runBeforeUnload: false })
    const second = await world.visit(link)
    await card(second, sent.name).getByText('every byte verified').waitFor()
    expect((await savedBytes(second, sent.name)).equals(sent.buffer)).to.equal(true)
  })

  it('is found by its full hash alone, and again after a reload', async () => {
    const { page: seeder } = await world.share(text('plain.txt', 'Only the hash is known.'))
    const fullHash = await seeder.locator('li.file code').textContent()
    const leecher = await world.visit('leecher_preview.html')
    await leecher.getByLabel('Link or full hash').fill(fullHash ?? '')
    await leecher.getByRole('button', { name: 'Get', exact: true }).click()
    await leecher.getByText('Only the hash is known.').waitFor()
    await leecher.reload()
    await leecher.getByText('Only the hash is known.').waitFor()
    const saved = await save(leecher, `mayfly-${fullHash?.slice(0, 8)}`)
    expect(saved.suggestedFilename()).to.equal(`mayfly-${fullHash?.slice(0, 8)}.txt`)
  })
})

/** Lets a file go over the page, as a hand would. */
async function drop(page: Page, file: ReturnType<typeof photo>): Promise<void> {
  const transfer = await page.evaluateHandle(
    ({ name, type, base64 }) => {
      const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0))
      const data = new DataTransfer()
      data.items.add(new File([bytes], name, { type }))
      return data
    },
    { name: file.name, type: file.mimeType, base64: file.buffer.toString('base64') }
  )
  await page.dispatchEvent('#drop', 'dragover', { dataTransfer: transfer })
  await page.dispatchEvent('#drop', 'drop', { dataTransfer: transfer })
}
