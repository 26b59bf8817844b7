import { expect } from 'chai'
import { furtherPages } from '../../src/check/further-pages.js'
import { CheckedSite } from './checked-site.js'

describe('the further pages that visitors look at', () => {
  let site: CheckedSite
  beforeEach(async () => {
    site = await CheckedSite.start()
  })
  afterEach(() => site.close())

  const chosen = async (count: number, links: readonly string[]): Promise<string[]> => {
    const further = await furtherPages(new URL('/index.html', site.url), links.map(at), count)
    return further.map(href => href.slice(site.url.length + 1))
  }
  const at = (path: string): string => `${site.url}/${path}`

  it('are those with the most that is not on the pages before', async () => {
    const images = (...names: string[]): string => names.map(name => `<img src="${name}">`).join('')
    await site.folder.write({
      'old.html': images('a%20b.png', 'film.mp4'),
      'one.html': images('a%20b.png', '1.png', '1.png'),
      'two.html': '<picture><source src="2.png"><img src="3.png"></picture>',
      'three.html': images('2.png', '3.png')
    })
    const links = ['old.html', 'none.html', 'one.html', 'two.html', 'three.html']
    expect(await chosen(2, links)).to.deep.equal(['two.html', 'one.html'])
    expect(await chosen(9, ['none.html', 'old.html'])).to.deep.equal(['none.html', 'old.html'])
    expect(await chosen(2, [])).to.deep.equal([])
  })

  it('are looked for among a dozen of many, from all over the page', async () => {
    const links = Array.from({ length: 240 }, (_, i) => `${i}.html`)
    const asked: string[] = []
    for (const path of links)
      site.answers.set(path, (_, response) => {
        asked.push(path)
        response.writeHead(404).end()
      })
    await chosen(1, links)
    expect(asked).to.have.members(Array.from({ length: 12 }, (_, i) => `${20 * i}.html`))
  })
})
