import { expect } from 'chai'
import { Command } from '../integration/command.js'
import { TaggedSite, noisePng } from './tagged-site.js'
import { World } from './world.js'

const IMAGES = 16

describe('`mayfly check --visitors`', function () {
  this.timeout(120_000)
  let world: World
  let site: TaggedSite
  before(async () => {
    world = await World.shared()
    site = await new TaggedSite().start()
    const images: string[] = []
    for (let i = 0; i < IMAGES; i++) {
      const fullHash = await site.add(`/${i}.png`, 'image/png', noisePng(i, 40_000))
      images.push(
        `<img data-mayfly="${fullHash}" src="/${i}.png" alt="" width="300" height="400" loading="lazy">`
      )
    }
    site.nameAll()
    const tag = `<script src="/mayfly.js" data-mediators="${world.mediator(0)}" data-worker="/mayfly-worker.js" data-manifest="/mayfly-manifest.json" data-origin-after-ms="4000"></script>`
    const style = '<style>img { display: block }</style>'
    const page = `<!doctype html><head><meta charset="utf-8"><title>site</title>${style}${tag}</head><body>${images.join('')}<a href="/more">more</a>`
    for (const path of ['/', '/more']) site.pages.set(path, page)
    site.pages.set('/short', page.replace(/<body>.*/, `<body>${images[0]}`))
  })
  after(() => site?.close())

  const check = (path: string, ...args: string[]): ReturnType<typeof Command.run> =>
    Command.run(['check', '--visitors', ...args, new URL(path, site.base).href], { withinMs: 110_000 })

  it('tells what a second visitor takes from a first, and from where the rest comes @long', async () => {
    const { code, stdout } = await check('/', '--files', '1')
    expect(stdout).to.match(
      /^fine {5}the first visitor: 2 page views, servers sent \d+ answers, .*; gives 16 files$/m
    )
    const [, taken] =
      /^fine {5}the second visitor took (\d+) files \(\d+ kB\) from other visitors, \d+ % of what .*$/m.exec(
        stdout
      ) ?? []
    expect(Number(taken)).to.be.above(IMAGES / 2)
    expect(stdout).to.match(/^fine {5}the second visitor: http:\S+\/more \(loaded in \d+ ms\)/m)
    expect(stdout).not.to.match(/the console of the page/)
    expect({ code, end: stdout.split('\n').at(-2) }).to.deep.equal({
      code: 0,
      end: '         nothing stands in the way'
    })
  })

  it('says why nothing came from the first visitor @long', async () => {
    site.headers = { 'content-security-policy': "connect-src 'self'" }
    const { code, stdout } = await check('/short', '--files', '0')
    expect(stdout).to.match(/^problem {2}CSP: connect-src does not allow ws:/m)
    expect(stdout).to.match(
      /^problem {2}nothing came from the first visitor: .*\(a policy refuses something: .*Content Security Policy/m
    )
    expect(code).to.equal(1)
  })
})
