import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { openManifestReader, type ManifestReader } from '../../src/site/manifest-reader.js'
import { keptManifest } from '../../src/site/worker/kept-manifest.js'

const SITE = 'https://site.example/'
const AT = `${SITE}mayfly-manifest.json`
const MINUTE = 60_000
const file = (letter: string): object => ({ fullHash: letter.repeat(64), length: 9, type: 'image/png' })

/** A site whose answers can be changed. */
class Site {
  now = 1_000 * MINUTE
  /** By URL. */
  readonly answers = new Map<string, () => Response | Promise<Response>>()
  readonly asked: string[] = []
  readonly modes: string[] = []

  open(caches?: CacheStorage): ManifestReader {
    return openManifestReader(AT, {
      now: () => this.now,
      fetch: async (input, { cache, redirect, signal } = {}) => {
        expect(signal).to.be.instanceOf(AbortSignal)
        expect(redirect).to.equal('error')
        const url = input as string
        this.asked.push(url.slice(SITE.length))
        this.modes.push(String(cache))
        return (this.answers.get(url) ?? (() => new Response('', { status: 404 })))()
      },
      ...(caches && { kept: keptManifest(caches, AT) })
    })
  }

  /** Gives the name. */
  section(value: object): string {
    const text = JSON.stringify(value)
    const name = `m-${createHash('sha256').update(text).digest('hex').slice(0, 16)}.json`
    this.answers.set(SITE + name, () => json(text))
    return name
  }

  /** Gives the names of branch and leaf. */
  tell(change: object = {}): [string, string] {
    const leaf = this.section({ files: { 'b.png': file('b'), 'c.png': file('c') } })
    const branch = this.section({ sections: [['b.png', leaf]] })
    const root = { version: 1, base: '/', files: {}, sections: [['b.png', branch]], ...change }
    this.answers.set(AT, () => json(JSON.stringify(root)))
    return [branch, leaf]
  }
}

function json(text: string, type = 'application/json'): Response {
  return new Response(text, { headers: { 'Content-Type': type } })
}

describe('the reader of a manifest', () => {
  let site: Site
  beforeEach(() => (site = new Site()))

  it('reads what leads to an address, and says so until it has', async () => {
    const [branch, leaf] = site.tell()
    const reader = site.open()
    expect(reader.entry(`${SITE}b.png`)).to.equal('unread')
    expect((await reader.look(`${SITE}b.png`))?.fullHash).to.equal('b'.repeat(64))
    expect(site.asked).to.deep.equal(['mayfly-manifest.json', branch, leaf])
    expect(site.modes).to.deep.equal(['no-cache', 'force-cache', 'force-cache'])
    expect(reader.entry(`${SITE}c.png`)).to.include({ path: 'c.png', length: 9 })
    expect(reader.entry(`${SITE}d.png`)).to.equal(undefined)
    expect(site.asked).to.have.length(3)
  })

  it('asks for a section once, whoever looks at the same time', async () => {
    site.tell()
    const reader = site.open()
    await Promise.all(['b', 'c', 'd', 'b'].map(letter => reader.look(`${SITE}${letter}.png`)))
    expect(site.asked).to.have.length(3)
  })

  it('does not take a section that is not what its name promises, and asks the site itself the next time', async () => {
    const [, leaf] = site.tell()
    const right = site.answers.get(SITE + leaf) as () => Response
    site.answers.set(SITE + leaf, () => json(JSON.stringify({ files: { 'b.png': file('e') } })))
    const reader = site.open()
    expect(await reader.look(`${SITE}b.png`)).to.equal(undefined)
    expect(reader.entry(`${SITE}b.png`)).to.equal(undefined)
    expect(site.asked).to.have.length(3)
    site.answers.set(SITE + leaf, right)
    await reader.refresh()
    expect((await reader.look(`${SITE}b.png`))?.fullHash).to.equal('b'.repeat(64))
    expect(site.modes.at(-1)).to.equal('reload')
  })

  it('keeps the sections that were read while the manifest is the same, and those of another manifest only', async () => {
    site.tell()
    const reader = site.open()
    await reader.look(`${SITE}b.png`)
    await reader.refresh()
    expect(reader.entry(`${SITE}b.png`)).to.include({ path: 'b.png' })
    site.tell({ off: ['c.png'] })
    await reader.refresh()
    expect(reader.entry(`${SITE}c.png`)).to.equal(undefined)
    expect(reader.entry(`${SITE}b.png`)).to.equal('unread')
    expect(await reader.look(`${SITE}b.png`)).to.include({ path: 'b.png' })
  })

  for (const [what, answer] of [
    ['of the type of a picture', () => json('{"version":1,"base":"/","files":{}}', 'image/png')],
    [
      'of a type that only begins like JSON',
      () => json('{"version":1,"base":"/","files":{}}', 'application/jsonp')
    ],
    ['without a type', () => new Response(new Blob(['{"version":1,"base":"/","files":{}}']))],
    ['with another status', () => Response.json({ version: 1, base: '/', files: {} }, { status: 404 })],
    ['of HTML', () => json('<!doctype html>')],
    [
      'that is too long',
      () =>
        new Response('{"version":1,"base":"/","files":{}}', {
          headers: { 'Content-Type': 'application/json', 'Content-Length': '99999999' }
        })
    ]
  ] as const)
    it(`takes nothing ${what} for a manifest, and stops believing the last one`, async () => {
      site.tell()
      const reader = site.open()
      await reader.refresh()
      expect(reader.current()).not.to.equal(undefined)
      site.answers.set(AT, answer)
      await reader.refresh()
      expect(reader.current()).to.equal(undefined)
      expect(reader.entry(`${SITE}b.png`)).to.equal(undefined)
    })

  for (const type of ['application/json; charset=utf-8', 'application/manifest+json', 'Application/JSON'])
    it(`takes ${type}`, async () => {
      site.answers.set(AT, () => json('{"version":1,"base":"/","files":{}}', type))
      const reader = site.open()
      await reader.refresh()
      expect(reader.current()?.base).to.equal(SITE)
    })

  it('believes the last one for five minutes while the site fails or is redirected, and looks again after two', async () => {
    site.tell()
    const reader = site.open()
    await reader.refresh()
    expect(reader.isDue()).to.equal(false)
    expect(reader.isDue(true)).to.equal(true)
    for (const answer of [
      () => new Response('', { status: 502 }),
      () => Promise.reject(new TypeError('redirected'))
    ]) {
      site.answers.set(AT, answer)
      site.now += 2 * MINUTE
      expect(reader.isDue()).to.equal(true)
      await reader.refresh()
      expect(reader.isDue()).to.equal(false)
      expect(reader.current()).not.to.equal(undefined)
    }
    site.now += MINUTE
    expect(reader.current()).to.equal(undefined)
  })

  it('asks a site that does not answer once, also where the clock was set back', async () => {
    site.tell()
    const reader = site.open()
    await reader.refresh()
    let asked = 0
    site.answers.set(AT, () => {
      // Whoever asks for ever lets nobody else have a turn.
      if (++asked > 20) return new Promise(() => {})
      return Promise.reject(new TypeError('no line'))
    })
    site.now -= 10 * MINUTE
    expect(await reader.look(`${SITE}b.png`)).to.equal(undefined)
    expect(asked).to.equal(1)
    expect(reader.isDue()).to.equal(false)
  })

  it('does not let anybody wait for a section that never comes', async () => {
    const [branch] = site.tell()
    site.answers.set(SITE + branch, () => new Promise(() => {}))
    const reader = site.open()
    const before = performance.now()
    expect(await reader.look(`${SITE}b.png`)).to.equal(undefined)
    expect(performance.now() - before).to.be.within(1_900, 3_500)
    expect(reader.entry(`${SITE}b.png`)).to.equal('unread')
  }).timeout(6_000)

  it('goes on where the cache of a worker hangs, throws or keeps nothing', async () => {
    site.tell()
    const failing = { open: () => Promise.reject(new Error('none')) } as unknown as CacheStorage
    const reader = site.open(failing)
    await reader.read
    await reader.refresh()
    expect(await reader.look(`${SITE}b.png`)).to.include({ path: 'b.png' })
    const hanging = { open: () => new Promise(() => {}) } as unknown as CacheStorage
    const other = site.open(hanging)
    void other.refresh()
    await other.read
    expect(other.isRead).to.equal(true)
    expect(await other.look(`${SITE}b.png`)).to.include({ path: 'b.png' })
  })
})
