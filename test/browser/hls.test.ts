import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { readManifest } from '../../peer/src/manifest/manifest-state.js'
import { Command } from '../integration/command.js'
import { FolderSite } from './folder-site.js'
import { seeded } from './seeded.js'
import { PLAYER_NAMES, filmPages, segmentedFilm, segmentedSong, type PlayerName } from './segmented-film.js'
import { noise } from './tagged-site.js'
import { World } from './world.js'

/** What a player has got, and how it went. */
interface Watched {
  /** Bytes of segments, by who brought them. */
  readonly bytes: Readonly<Partial<Record<string, number>>>
  /** Where it stood still after it had begun, in seconds. */
  readonly stalls: readonly number[]
  /** Digests of all that the player was given, by path. */
  readonly given: readonly (readonly [path: string, digest: string])[]
}

/** Players fetch through either; the pages themselves have nothing of this. */
const RECORD_WHAT_IS_GIVEN = `{
  const given = (globalThis.given = [])
  const take = (url, bytes) =>
    given.push(
      crypto.subtle.digest('SHA-256', bytes).then(digest => [
        new URL(url, location.href).pathname.slice(1),
        Array.from(new Uint8Array(digest), byte => byte.toString(16).padStart(2, '0')).join('')
      ])
    )
  const { get } = Object.getOwnPropertyDescriptor(XMLHttpRequest.prototype, 'response')
  const taken = new WeakSet()
  // Looked at first, as a player may hand it on to a worker.
  Object.defineProperty(XMLHttpRequest.prototype, 'response', {
    get() {
      const bytes = get.call(this)
      if (bytes instanceof ArrayBuffer && bytes.byteLength > 0 && !taken.has(bytes)) {
        taken.add(bytes)
        take(this.responseURL, bytes.slice())
      }
      return bytes
    }
  })
  const { fetch } = globalThis
  globalThis.fetch = async (...args) => {
    const response = await fetch(...args)
    if (response.ok && /\\.(ts|m4s|mp3)$/.test(response.url))
      response.clone().arrayBuffer().then(bytes => take(response.url, bytes), () => {})
    return response
  }
}`

const LIE = `{
  globalThis.lies = 0
  const { send } = RTCDataChannel.prototype
  RTCDataChannel.prototype.send = function (bytes) {
    if (bytes.length > 1000) {
      bytes[bytes.length - 5] ^= 1
      lies++
    }
    send.call(this, bytes)
  }
}`

/** What is in a page with a player. */
interface PlayerPage {
  /** Of `hls.html`. */
  readonly Hls: { readonly DefaultConfig: { maxBufferLength: number } }
  begin(): void
  readonly given: readonly Promise<[path: string, digest: string]>[]
}

/** So many that the manifest is in sections, of which the page has read none when it is opened. */
const SONG_SEGMENTS = 160
/** Of them, so many are listened for. */
const SONG_PLAYED = 16

const IS_SEGMENT = /\.(ts|m4s|mp3)$/

describe('films in segments (HLS and DASH), on a site that `mayfly prepare` has made ready', function () {
  this.timeout(480_000)
  let world: World
  let folder: string
  let site: FolderSite
  let hashes: ReadonlyMap<string, string>

  /** A site with a film of so many seconds; skips the test where there is no ffmpeg. */
  async function openFilm(seconds: number, test: Mocha.Context): Promise<void> {
    const film = await segmentedFilm(seconds)
    if (film === undefined) {
      if (test.test) test.test.title += ' (not tried: ffmpeg is not there)'
      test.skip()
    }
    await open(() => filmPages(film, folder))
  }

  /** A site with what `fill` puts into its folder. */
  async function open(fill: () => Promise<void>): Promise<void> {
    folder = await mkdtemp(join(tmpdir(), 'mayfly-film-site-'))
    await fill()
    const prepared = await Command.run(['prepare', folder, '--mediator', world.mediator(0)])
    expect(prepared).to.include({ code: 0 })
    const manifest = await readManifest(join(folder, 'mayfly-manifest.json'))
    hashes = new Map([...(manifest?.files ?? [])].map(([path, { fullHash }]) => [path, fullHash]))
    expect([...hashes.keys()].filter(path => IS_SEGMENT.test(path))).to.have.length.greaterThan(0)
    site = await new FolderSite(folder, "; media-src 'self' blob:; worker-src 'self' blob:").start()
    // The whole film goes out of a visitor who has got nothing from others: by default that is 10 MB in a day.
    site.attributes = 'data-upload-max="1GB" data-upload-rate="10MB"'
  }

  before(async () => (world = await World.shared()))
  afterEach(async () => {
    await world.leave()
    site?.close()
    if (folder) await rm(folder, { recursive: true })
  })

  /** A visitor whose page the service worker answers. */
  async function visit(player: PlayerName, scripts: readonly string[] = []): Promise<Page> {
    const page = await world.visit('about:blank')
    for (const script of [RECORD_WHAT_IS_GIVEN, ...scripts]) await page.context().addInitScript(script)
    await page.goto(`${site.base}${player}.html`)
    await page.evaluate(() => navigator.serviceWorker.ready)
    const isAnswered = await page.evaluate(() => navigator.serviceWorker.controller !== null)
    if (!isAnswered) await page.reload()
    return page
  }

  /** Watches the film to its end. `rate`: so many times faster. */
  async function watch(page: Page, rate: number): Promise<Watched> {
    const stalls = await page.evaluate(async speed => {
      const film = document.querySelector('video')!
      const at: number[] = []
      film.addEventListener(
        'waiting',
        () => film.played.length > 0 && !film.seeking && at.push(film.currentTime)
      )
      const ended = new Promise((resolve, reject) => {
        film.onended = resolve
        film.onerror = () => reject(new Error(film.error?.message ?? 'the film cannot be played'))
      })
      ;(globalThis as unknown as PlayerPage).begin()
      await new Promise(resolve => (film.oncanplay = resolve))
      film.playbackRate = speed
      await film.play()
      film.playbackRate = speed
      await ended
      return at
    }, rate)
    return { stalls, ...(await gotten(page)) }
  }

  /** What the player of a page has got so far. */
  async function gotten(page: Page): Promise<Omit<Watched, 'stalls'>> {
    const { came, given } = await page.evaluate(async () => ({
      given: await Promise.all((globalThis as unknown as PlayerPage).given),
      came: performance
        .getEntriesByName('mayfly')
        .map(entry => (entry as PerformanceMeasure).detail as { url: string; source: string; bytes: number })
    }))
    const bytes: Record<string, number> = {}
    for (const one of came)
      if (IS_SEGMENT.test(one.url)) bytes[one.source] = (bytes[one.source] ?? 0) + one.bytes
    return { bytes, given: given.filter(([path]) => IS_SEGMENT.test(path)) }
  }

  /** Bytes of segments that the site has sent since it was last asked. */
  function sentBySite(): number {
    const sum = [...site.sent].reduce((all, [path, bytes]) => all + (IS_SEGMENT.test(path) ? bytes : 0), 0)
    site.sent.clear()
    return sum
  }

  /** Settles when somebody is named for every segment that the player has got. */
  const isHeld = ({ given }: Pick<Watched, 'given'>): Promise<void> =>
    seeded(world.mediator(0), ...new Set(given.map(([path]) => hashes.get(path))))

  async function wrongOf({ given }: Pick<Watched, 'given'>): Promise<string[]> {
    const wrong: string[] = []
    for (const [path, digest] of given) {
      const bytes = await readFile(join(folder, path))
      if (createHash('sha256').update(bytes).digest('hex') !== digest) wrong.push(path)
    }
    return wrong
  }

  /** Two visitors watch the film, one after the other. */
  async function watchTwice(player: PlayerName, rate: number): Promise<void> {
    const first = await watch(await visit(player), rate)
    await isHeld(first)
    sentBySite()
    const second = await watch(await visit(player), rate)
    const fromSite = sentBySite()
    const { peer = 0 } = second.bytes
    expect(peer / (peer + fromSite), JSON.stringify([second.bytes, fromSite])).to.be.at.least(0.8)
    // The first had all from the site, as if there was nobody.
    expect(second.stalls.length, second.stalls.join()).to.be.at.most(first.stalls.length)
    expect(second.given.length).to.be.greaterThan(0)
    expect(await wrongOf(second)).to.deep.equal([])
  }

  it('of a song come from the visitor before, where the page knows none of them when it is opened, by hls.js', async () => {
    await open(() => segmentedSong(SONG_SEGMENTS, folder, noise))
    // What is no matter of a slow computer's speed.
    site.patienceMs = 4_000
    const plays = async (): Promise<Omit<Watched, 'stalls'>> => {
      const page = await visit('hls')
      // Nobody is expected any more who was looked for when the page was opened.
      await page.waitForFunction(() => performance.now() > 2_000)
      await page.evaluate(seconds => {
        const { Hls, begin } = globalThis as unknown as PlayerPage
        Hls.DefaultConfig.maxBufferLength = seconds
        begin()
      }, 4 * SONG_SEGMENTS)
      await page.waitForFunction(
        count => (globalThis as unknown as PlayerPage).given.length >= count,
        SONG_PLAYED
      )
      return gotten(page)
    }
    await isHeld(await plays())
    const { bytes, given } = await plays()
    const { peer = 0, origin = 0 } = bytes
    expect(peer / (peer + origin), JSON.stringify(bytes)).to.be.at.least(0.5)
    expect(await wrongOf({ given })).to.deep.equal([])
  })

  for (const player of PLAYER_NAMES)
    it(`of three minutes come from the visitor before, 80 % or more, and stand still no more often, by ${player} @long`, async function () {
      await openFilm(180, this)
      await watchTwice(player, 2)
    })

  it('have no wrong byte where half of the visitors lie @long', async function () {
    await openFilm(180, this)
    // It asks for sound and picture at the same time, and so both of them.
    const honest = await watch(await visit('shaka'), 8)
    const liar = await visit('shaka', [LIE])
    const held = await watch(liar, 8)
    await isHeld(honest)
    await isHeld(held)
    const third = await watch(await visit('shaka'), 8)
    expect(third.given.length).to.be.greaterThan(40)
    expect(await wrongOf(third)).to.deep.equal([])
    expect(third.bytes['peer']).to.be.greaterThan(0)
    // He was asked.
    expect(await liar.evaluate(() => (globalThis as unknown as { lies: number }).lies)).to.be.greaterThan(0)
  })
})
