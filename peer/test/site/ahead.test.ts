import { expect } from 'chai'
import { openAhead } from '../../src/site/ahead.js'
import type { Wish } from '../../src/site/object-session.js'

const BASE = 'https://site.example/shop/'

interface Image {
  readonly srcset: string
  readonly currentSrc: string
}

describe('what the next page shows', () => {
  const names = ['document', 'location', 'fetch'] as const
  const before = names.map(name => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const)
  let images: Image[]
  /** By address, what the site has; all of it is named by the manifest. */
  let site: Map<string, string>
  let fetched: string[]
  let wished: Wish[]
  /** What the worker is told. */
  let held: string[]
  let isMeant: boolean
  let ahead: (url: string) => Promise<void>

  beforeEach(() => {
    images = []
    site = new Map()
    fetched = []
    wished = []
    held = []
    const values = {
      location: { href: BASE },
      fetch: async (url: string) => {
        fetched.push(url)
        return new Response(site.get(url), { headers: { 'content-type': 'application/json' } })
      },
      document: {
        baseURI: BASE,
        get images() {
          return images
        }
      }
    }
    for (const name of names)
      Object.defineProperty(globalThis, name, { value: values[name], configurable: true, writable: true })
    isMeant = true
    const bring = openAhead({
      manifest: () => ({ base: BASE }) as never,
      look: async address => {
        const { length } = site.get(address) ?? {}
        return length === undefined ? undefined : ({ fullHash: address.replace(BASE, ''), length } as never)
      },
      held: fullHash => held.push(fullHash),
      session: {
        bring: async wish => {
          wished.push(wish)
          return wish.fullHash.includes('lost')
            ? undefined
            : { bytes: new Uint8Array(wish.length ?? 0), source: 'peer' }
        }
      }
    })
    ahead = url => bring(url, Promise.resolve(isMeant))
  })
  afterEach(() => {
    for (const [name, descriptor] of before)
      if (descriptor) Object.defineProperty(globalThis, name, descriptor)
      else delete (globalThis as Record<string, unknown>)[name]
  })

  const list = (name: string, items: unknown): unknown =>
    site.set(`${BASE}mayfly-pages/${name}.json`, typeof items === 'string' ? items : JSON.stringify(items))
  const pictures = (...paths: readonly string[]): void => {
    for (const path of paths) site.set(BASE + path, 'x'.repeat(1_000))
  }
  const brought = (): string[] => wished.map(({ fullHash }) => fullHash)

  it('is brought from others alone, once', async () => {
    list('2', ['pots/1.png', 'pots/unknown.png', 'lost.png', 'pots/2 é.png'])
    pictures('pots/1.png', 'pots/2%20%C3%A9.png', 'lost.png')
    await ahead(`${BASE}2`)
    await ahead(`${BASE}2#there`)
    expect(brought()).to.deep.equal(['pots/1.png', 'lost.png', 'pots/2%20%C3%A9.png'])
    expect(wished.map(({ url }) => url)).to.deep.equal(['', '', ''])
    expect(held).to.deep.equal(['pots/1.png', 'pots/2%20%C3%A9.png'])
  })

  it('is brought when the visitor means it, and not before', async () => {
    list('2', ['1.png'])
    pictures('1.png')
    isMeant = false
    await ahead(`${BASE}2`)
    expect(fetched).to.deep.equal([])
    isMeant = true
    await ahead(`${BASE}2`)
    expect(brought()).to.deep.equal(['1.png'])
  })

  for (const [address, name] of [
    ['2/', '2'],
    ['2.html?of=1', '2'],
    ['2/index.html', '2'],
    ['a/b.htm', 'a/b'],
    ['index/of', 'index/of'],
    ['a/index/', 'a/index'],
    ['a/index', 'a']
  ] as const)
    it(`is found in ${name}.json for ${address}`, async () => {
      list(name, ['1.png'])
      pictures('1.png')
      await ahead(BASE + address)
      expect(brought()).to.deep.equal(['1.png'])
    })

  it('is found in index.json for the front page', async () => {
    Object.defineProperty(globalThis, 'location', { value: { href: `${BASE}2` } })
    list('index', ['1.png'])
    pictures('1.png')
    await ahead(BASE)
    expect(brought()).to.deep.equal(['1.png'])
  })

  it('is nothing where there is no list, for this page, and for one outside of the site', async () => {
    list('index', ['1.png'])
    pictures('1.png')
    for (const url of [
      BASE,
      `${BASE}#top`,
      `${BASE}other`,
      'https://other.example/shop/2',
      'mailto:a@b.example',
      'http://['
    ])
      await ahead(url)
    expect(brought()).to.deep.equal([])
    expect(fetched).to.deep.equal([])
  })

  it('is the one of several addresses that pictures of this page show', async () => {
    list('2', [['small.png', 'large.png'], ['only.png'], 'plain.png'])
    pictures('small.png', 'large.png', 'only.png', 'plain.png')
    images = [{ srcset: 'here-small.png 320w,\n here-large.png 640w', currentSrc: `${BASE}here-large.png` }]
    await ahead(`${BASE}2`)
    expect(brought()).to.deep.equal(['large.png', 'only.png', 'plain.png'])
  })

  it('is the first of several addresses where this page shows none', async () => {
    list('2', [['small.png', 'large.png']])
    pictures('small.png', 'large.png')
    images = [{ srcset: 'http://[ 1x', currentSrc: `${BASE}plain.png` }]
    await ahead(`${BASE}2`)
    expect(brought()).to.deep.equal(['small.png'])
  })

  it('is no more than 16 pictures and 4 MiB in all, and of four pages', async () => {
    const many = Array.from({ length: 30 }, (_, i) => `${i}.png`)
    list('2', ['long.png', ...many])
    site.set(`${BASE}long.png`, 'x'.repeat(4_194_305))
    pictures(...many)
    await ahead(`${BASE}2`)
    expect(brought()).to.deep.equal(many.slice(0, 15))
    for (const name of ['3', '4', '5', '6', '7']) {
      list(name, [`of-${name}.png`])
      pictures(`of-${name}.png`)
      await ahead(BASE + name)
    }
    expect(brought().slice(15)).to.deep.equal(['of-3.png', 'of-4.png', 'of-5.png'])
  })

  for (const text of ['', 'no JSON', '{}', 'null', '[null, 1, {}, [], [null]]', '["../../up.png"]'])
    it(`is nothing where a list says ${text || 'nothing'}`, async () => {
      list('2', text || ' ')
      await ahead(`${BASE}2`)
      expect(brought()).to.deep.equal([])
    })
})
