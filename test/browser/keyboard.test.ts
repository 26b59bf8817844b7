import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { text } from './content.js'
import { World, linkOf } from './world.js'

describe('the pages by keyboard alone', function () {
  this.timeout(40_000)
  let world: World

  before(async () => {
    world = await World.shared()
  })
  afterEach(async () => {
    expect(await world.leave(), 'complaints of the pages').to.deep.equal([])
  })

  it('share, copy the link, and stop sharing', async () => {
    const page = await world.visit(`seeder_preview.html#m=${world.mediator(0)}`)
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    // Listened for long before the key: the browser is told that a test chooses.
    const chosen = page.waitForEvent('filechooser')
    await tabTo(page, 'choose')
    await page.keyboard.press('Space')
    const chooser = await chosen
    await chooser.setFiles([text('one.txt', '1'), text('two.txt', '2')])
    const link = await linkOf(page)
    await tabTo(page, 'Copy link')
    await page.keyboard.press('Enter')
    await page.getByText('Link copied').waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).to.equal(link)
    await tabTo(page, 'Stop sharing one.txt')
    await page.keyboard.press('Enter')
    await page.getByText('Link for 1 file').waitFor()
    expect(await focused(page)).to.equal('Stop sharing two.txt')
    await page.keyboard.press('Enter')
    await page.locator('#link').waitFor({ state: 'hidden' })
    expect(await focused(page)).to.equal('choose')
  })

  it('get a file and save it', async () => {
    const { link } = await world.share(text('one.txt', 'Pressed, not clicked.'))
    const page = await world.visit(`leecher_preview.html#m=${world.mediator(0)}`)
    await tabTo(page, 'wanted')
    await page.keyboard.insertText(link)
    await page.keyboard.press('Enter')
    await page.getByText('Pressed, not clicked.').waitFor()
    await tabTo(page, 'Save one.txt')
    const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
    expect(download.suggestedFilename()).to.equal('one.txt')
  })

  it('name everything that can be reached, and show where the focus is', async () => {
    for (const path of ['index.html', 'seeder_preview.html', 'leecher_preview.html']) {
      const page = await world.visit(`${path}#m=${world.mediator(0)}`)
      await page.waitForLoadState('networkidle')
      const names: string[] = []
      for (let step = 0; step < 30; step++) {
        await page.keyboard.press('Tab')
        const name = await focused(page)
        if (name === 'BODY') break
        names.push(name)
        expect(await outlined(page), `${path}: ${name}`).to.equal(true)
      }
      expect(names.length, path).to.be.within(4, 12)
      expect(names, path).not.to.include('')
    }
  })
})

/** Presses Tab until the element of this id, name or text has the focus. */
async function tabTo(page: Page, wanted: string): Promise<void> {
  for (let step = 0; step < 30; step++) {
    if ((await focused(page)) === wanted) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab does not reach "${wanted}"`)
}

/** What has the focus: its id, its accessible name or its text. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement
    if (element === null || element === document.body) return 'BODY'
    return element.id || element.getAttribute('aria-label') || (element.textContent ?? '').trim()
  })
}

/** Whether the focused element, or the zone that it fills, has an outline. */
function outlined(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const element = document.activeElement
    const zone = element?.closest('.drop') ?? element
    return zone !== null && zone !== undefined && getComputedStyle(zone).outlineStyle !== 'none'
  })
}
