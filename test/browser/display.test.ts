import { expect } from 'chai'
import { card, photo, savedBytes, text } from './content.js'
import { World } from './world.js'

describe('what is shown in place', function () {
  this.timeout(40_000)
  let world: World

  before(async () => {
    world = await World.shared()
  })
  afterEach(async () => {
    expect(await world.leave(), 'complaints of the pages').to.deep.equal([])
  })

  it('is never a drawing, a page, a document, or what lies about being a picture', async () => {
    const script = '<script>document.title = "taken over"</script>'
    const files = [
      text('drawing.svg', `<svg xmlns="http://www.w3.org/2000/svg">${script}</svg>`, 'image/svg+xml'),
      text('page.html', `<!doctype html>${script}`, 'text/html'),
      text('paper.pdf', '%PDF-1.7\n', 'application/pdf'),
      text('picture.png', `<svg xmlns="http://www.w3.org/2000/svg">${script} </svg>`, 'image/png'),
      text('letter.txt', `<html>${script}</html>`, 'text/plain'),
      { ...photo(), name: 'photo.html', mimeType: 'text/html' }
    ]
    const { link } = await world.share(files)
    const leecher = await world.visit(link)
    await leecher.getByText('6 of 6 files arrived').waitFor()
    expect(await leecher.locator('.shown').count()).to.equal(0)
    for (const { name, buffer } of files) {
      await card(leecher, name).getByText('This kind of file is not shown here.').waitFor()
      expect((await savedBytes(leecher, name)).equals(buffer), name).to.equal(true)
    }
    expect(await leecher.title()).to.equal('Get files · Mayfly')
  })

  it('is text as text, whatever it looks like, up to a size that a page bears', async () => {
    const markup = 'a <b>bold</b> word & <img src=x onerror="alert(1)">'
    const { link } = await world.share([text('short.txt', markup), text('long.txt', 'ü'.repeat(200_000))])
    const leecher = await world.visit(link)
    const short = card(leecher, 'short.txt').locator('pre')
    await short.waitFor()
    expect(await short.textContent()).to.equal(markup)
    expect(await short.locator('*').count()).to.equal(0)
    const long = card(leecher, 'long.txt')
    await long.getByText('Save it for the rest.').waitFor()
    expect(await long.locator('pre').textContent()).to.equal('ü'.repeat(131_072))
  })

  it('is saved as mere bytes, so that its address never opens as a page', async () => {
    const { link } = await world.share(text('page.html', '<!doctype html>', 'text/html'))
    const leecher = await world.visit(link)
    const address = await leecher.getByRole('link', { name: 'Save page.html' }).getAttribute('href')
    expect(address).to.match(/^blob:/)
    const [download] = await Promise.all([
      leecher.waitForEvent('download'),
      leecher.evaluate(url => void window.open(url), address ?? '')
    ])
    expect(download.url()).to.equal(address)
  })
})
