import { expect } from 'chai'
import { stat } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { holds } from './seeded.js'
import { World } from './world.js'

/** The bar's figures as its words. */
function figures(page: Page): Promise<readonly string[]> {
  return page
    .locator('#sources .legend li')
    .evaluateAll(items => items.map(item => (item as HTMLElement).innerText.replace(/\s+/g, ' ')))
}

/** Waits until all pictures of the page are shown, and gives the words of their labels. */
function seen(page: Page): Promise<readonly string[]> {
  return page.evaluate(async () => {
    const labels: string[] = []
    for (const image of document.querySelectorAll('img')) {
      image.scrollIntoView()
      if (!image.complete || image.naturalWidth === 0)
        await new Promise(resolve => image.addEventListener('load', resolve, { once: true }))
      await image.decode()
      // With two files to choose from, the width is that of the place.
      const widths = image.currentSrc.includes('-320.png') ? [288, 320] : [640, 704]
      if (!widths.includes(image.naturalWidth)) throw new Error(`${image.src} is not shown`)
      const frame = image.closest('.shown')!
      while (frame.querySelector('.label') === null) await new Promise(requestAnimationFrame)
      labels.push(frame.querySelector('.label')?.textContent ?? '')
    }
    return labels
  })
}

describe('the shop', () => {
  let world: World

  before(async () => (world = await World.shared()))
  afterEach(async () => {
    expect(await world.leave(), 'complaints of the pages').to.deep.equal([])
  })

  it('shows every picture, and says that all of it is from the site, where nothing of Mayfly is in it', async () => {
    const page = await world.visit('plain-shop/')
    const labels = await seen(page)
    expect(labels).to.deep.equal(new Array(50).fill('from the site'))
    const small = () =>
      [...document.images].filter(({ currentSrc }) => currentSrc.endsWith('-320.png')).length
    expect(await page.evaluate(small), 'pictures that come in half the width').to.equal(25)
    expect(await page.evaluate(() => document.fonts.check('20px "DM Serif Display"'))).to.equal(true)
    const [visitors, cache, site] = await figures(page)
    expect(visitors).to.equal('Visitors 0 % 0 bytes')
    expect(cache).to.equal('Cache 0 % 0 bytes')
    expect(site).to.match(/^The site 100 % 1\.\d MB$/)
    await page.getByRole('link', { name: '2', exact: true }).click()
    await page.waitForURL('**/plain-shop/2')
    // It goes on from page to page.
    const before = Number(/([\d.]+) MB/.exec(site ?? '')?.[1])
    await page.waitForFunction(least => {
      const legend = document.querySelector('.legend')?.textContent ?? ''
      return Number(/The site[^]*?([\d.]+)\sMB/.exec(legend)?.[1]) > least
    }, before)
  })

  it('shows every picture where Mayfly is in it, and says that they are from the site for the first visitor', async () => {
    const page = await world.visit('shop/')
    expect(await seen(page)).to.have.length(50)
    // Also when all that the browser fetched was read back, to be shared.
    await holds(page, 25)
    const [visitors, cache, all] = await figures(page)
    expect(visitors).to.equal('Visitors 0 % 0 bytes')
    // The tag's worker has its script from the browser's cache.
    expect(cache).to.match(/^Cache [01] %/)
    expect(all).to.match(/^The site (99|100) % 1\.\d MB$/)
    expect(await page.locator('script[data-mediators]').getAttribute('data-mediators')).to.equal(
      world.mediators.map(({ url }) => url).join(' ')
    )
  })

  it('plays its film, lets the middle be seen at once, and saves its catalogue', async () => {
    const page = await world.visit('plain-shop/product/1')
    const film = page.locator('video')
    const [width, height, duration] = await film.evaluate(async element => {
      const video = element as HTMLVideoElement
      await video.play()
      while (video.currentTime === 0) await new Promise(requestAnimationFrame)
      video.pause()
      video.currentTime = 7
      await new Promise(resolve => video.addEventListener('seeked', resolve, { once: true }))
      return [video.videoWidth, video.videoHeight, video.duration]
    })
    expect([width, height, duration]).to.deep.equal([640, 360, 10])
    await page.locator('.film').getByText('the site').waitFor()
    const link = page.getByRole('link', { name: 'The catalogue' })
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()])
    expect((await stat(await download.path())).size).to.equal(Number(await link.getAttribute('data-bytes')))
    await page.locator('footer').getByText('from the site', { exact: true }).waitFor()
  })

  it('says what the library tells, at the object and in the bar', async () => {
    const page = await world.visit('plain-shop/product/2')
    await seen(page)
    await page.evaluate(() => {
      const [first, second] = document.querySelectorAll('img')
      performance.measure('mayfly', {
        start: 0,
        detail: { url: first!.src, source: 'peer', bytes: 3_000_000 }
      })
      second!.setAttribute('data-mayfly-source', 'cache')
    })
    await page.locator('.pot').getByText('visitors').waitFor()
    await page.locator('.pots li').first().getByText('cache').waitFor()
    await page.waitForFunction(
      () => document.querySelector('.legend')?.textContent?.includes('3.0 MB') === true
    )
    expect((await figures(page))[0]).to.match(/^Visitors 9\d % 3\.0 MB$/)
    const button = page.getByRole('button', { name: 'Details' })
    await button.press('Enter')
    const row = page.getByRole('row', { name: /^pictures/ })
    await row.getByText('3.0 MB').waitFor()
    await page.keyboard.press('Escape')
    await row.waitFor({ state: 'hidden' })
    expect(await button.evaluate(element => element === document.activeElement)).to.equal(true)
  })
})
