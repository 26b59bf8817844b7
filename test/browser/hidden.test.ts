import { expect } from 'chai'
import { statSync } from 'node:fs'
import { PlainBrowser } from './devtools.js'
import { World } from './world.js'

describe('a hidden page', function () {
  this.timeout(60_000)
  let world: World
  let browser: PlainBrowser

  before(async () => {
    world = await World.shared()
    browser = await PlainBrowser.start()
  })
  after(async () => {
    await browser?.stop()
  })

  it('goes on serving while Chromium slows it down @long', async () => {
    const seeder = await browser.open(`${world.base}seeder_preview.html#m=${world.mediator(0)}`)
    await seeder.until('document.readyState === "complete" && document.querySelector("#choose") !== null')
    await seeder.choose('#choose', [process.execPath])
    await seeder.until('document.querySelector("#link")?.value.includes("f=") === true')
    const link = String(await seeder.evaluate('document.querySelector("#link").value'))
    const leecher = await browser.open(link)
    await leecher.until('document.querySelector("progress")?.value > 0')
    expect(await seeder.evaluate('document.visibilityState')).to.equal('hidden')
    await leecher.until('document.querySelector("[data-state=complete]") !== null', 45_000)
    expect(await seeder.evaluate('document.visibilityState')).to.equal('hidden')
    const { size } = statSync(process.execPath)
    await seeder.until(
      `/${Math.floor(size / 1e8)}\\d\\d MB sent|\\d\\d\\.\\d MB sent/.test(document.querySelector("#audience").textContent)`
    )
  })
})
