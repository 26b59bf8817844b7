import { expect } from 'chai'
import { Ledger, kindOf } from '../../src/shop/ledger.js'
import { libraryWordOf } from '../../src/shop/library-word.js'
import { Visit } from '../../src/shop/visit.js'

const PICTURE = 'https://shop.example/shop/assets/pots/001.png'
const FILM = 'https://shop.example/shop/assets/film/wheel.mp4'

describe('the ledger of a page', () => {
  it('counts what the browser fetched as from the site, and what it had as from the cache', () => {
    const ledger = new Ledger()
    ledger.seenByBrowser(PICTURE, 'origin', 100)
    ledger.seenByBrowser(FILM, 'cache', 7)
    expect(ledger.totals()).to.deep.equal({ peer: 0, cache: 7, origin: 100 })
    expect(ledger.sourceOf(PICTURE)).to.equal('origin')
    expect(ledger.sourceOf('https://shop.example/other')).to.equal(undefined)
  })

  it('takes the word of the library for the same bytes, whoever speaks first', () => {
    const ledger = new Ledger()
    ledger.seenByBrowser(PICTURE, 'origin', 100)
    ledger.toldByLibrary(PICTURE, 'peer', 90)
    ledger.seenByBrowser(PICTURE, 'origin', 100)
    expect(ledger.totals()).to.deep.equal({ peer: 90, cache: 0, origin: 0 })
    expect(ledger.sourceOf(PICTURE)).to.equal('peer')
  })

  it('adds up the pieces of a film from several sources', () => {
    const ledger = new Ledger()
    ledger.toldByLibrary(FILM, 'peer', 50)
    ledger.toldByLibrary(FILM, 'origin', 20)
    ledger.toldByLibrary(FILM, 'peer', 5)
    expect(ledger.totals('film')).to.deep.equal({ peer: 55, cache: 0, origin: 20 })
    expect(ledger.totals('pictures')).to.deep.equal({ peer: 0, cache: 0, origin: 0 })
  })

  it('has a bound', () => {
    const ledger = new Ledger()
    for (let index = 0; index < 6000; index++) ledger.seenByBrowser(`${PICTURE}?${index}`, 'origin', 1)
    expect(ledger.totals().origin).to.equal(5000)
  })

  it('tells what an object is by its ending', () => {
    expect(kindOf(PICTURE)).to.equal('pictures')
    expect(kindOf(`${FILM}?a=b.png`)).to.equal('film')
    expect(kindOf('https://shop.example/shop/')).to.equal('page and code')
    expect(kindOf('https://shop.example/a.constructor')).to.equal('page and code')
  })
})

describe("the library's word", () => {
  it('is read with an absolute address', () => {
    const detail = { url: 'assets/a.png', fullHash: 'ab', source: 'peer', bytes: 12 }
    expect(libraryWordOf(detail, 'https://shop.example/shop/')).to.deep.equal({
      ...detail,
      url: 'https://shop.example/shop/assets/a.png'
    })
  })

  it('is none where it names no address or no source, and no bytes where it names none', () => {
    const base = 'https://shop.example/'
    for (const detail of [
      undefined,
      null,
      'peer',
      {},
      { url: 'a', source: 'moon' },
      { url: 'http://[', source: 'peer' }
    ]) {
      expect(libraryWordOf(detail, base)).to.equal(undefined)
    }
    for (const bytes of [undefined, -1, Infinity, NaN, '12']) {
      expect(libraryWordOf({ url: 'a', source: 'peer', bytes }, base)?.bytes).to.equal(0)
    }
  })
})

describe('a visit', () => {
  const page = (peer: number, origin: number) => ({ peer, cache: 0, origin })

  /** What a tab has as storage. */
  function storage(kept: Record<string, string> = {}) {
    return {
      kept,
      getItem: (key: string) => kept[key] ?? null,
      setItem: (key: string, text: string) => void (kept[key] = text)
    }
  }

  it('adds up its pages', () => {
    const tab = storage()
    new Visit(tab, 'shop').keep(page(1, 10))
    expect(new Visit(tab, 'shop').totals(page(2, 20))).to.deep.equal(page(3, 30))
    expect(new Visit(tab, 'plain-shop').totals(page(2, 20))).to.deep.equal(page(2, 20))
  })

  it("counts a page once that comes back from the browser's memory", () => {
    const tab = storage()
    const first = new Visit(tab, 'shop')
    first.keep(page(1, 10))
    new Visit(tab, 'shop').keep(page(5, 5))
    expect(first.totals(page(1, 10))).to.deep.equal(page(6, 15))
    first.keep(page(2, 10))
    expect(new Visit(tab, 'shop').totals(page(0, 0))).to.deep.equal(page(7, 15))
  })

  it('does without a storage, and with one that holds something else', () => {
    expect(new Visit(undefined, 'shop').totals(page(1, 2))).to.deep.equal(page(1, 2))
    for (const text of ['{', '[]', 'null', '{"peer":"1","origin":-3}']) {
      expect(new Visit(storage({ 'sources shop': text }), 'shop').totals(page(1, 2))).to.deep.equal(
        page(1, 2)
      )
    }
    const full = {
      getItem: () => null,
      setItem: () => {
        throw new Error('full')
      }
    }
    const visit = new Visit(full, 'shop')
    visit.keep(page(1, 2))
    expect(visit.totals(page(1, 2))).to.deep.equal(page(1, 2))
  })
})
