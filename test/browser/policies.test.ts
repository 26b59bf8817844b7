import { build } from 'esbuild'
import { expect } from 'chai'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'
import { integrityOf } from '../../peer/src/manifest/script-tag.js'
import { ensureChromium } from '../../scripts/chromium.mjs'
import { holds } from './seeded.js'
import { TaggedSite, WATCHES_WORKER, plainPng } from './tagged-site.js'
import { WatchedPage } from './watched-page.js'
import { AGAINST_THROTTLING, CHROMIUM_SWITCHES, World } from './world.js'

/** Each of its own colour, far below each other. */
const PICTURES = 16
const COLOURS = Array.from({ length: PICTURES }, (_, i) => [10 * i, 250 - 10 * i, 120])
const pathOf = (i: number): string => `/picture/${i}.png`
/** What is seen first, and what is seen after a jump to the end. */
const JUMPED = [0, PICTURES - 1].map(pathOf)
/** How much later than without the tag. */
const [LATER, LATER_MS] = [1.1, 150]
/** A busy machine delays one of them or the other. */
const TRIES = 8
/** What would be done is begun by then. */
const NOTHING_MS = 700
const NONCE = 'kd83hf'

/**
 * What the tag is to do: bring pictures from the visitor before; leave them to the site, with or without a connection to a
 * mediator; or nothing at all: no part is fetched, nobody is spoken to.
 */
type Outcome = 'peers' | 'site' | 'nothing'

interface Row {
  readonly what: string
  readonly outcome: Outcome
  readonly headers?: Readonly<Record<string, string>>
  /** More attributes of the tag; what stands before it. */
  readonly tag?: string
  readonly before?: string
  /** The page is in a frame with this `sandbox`. */
  readonly sandbox?: string
  /** A browser of its own, with these preferences. */
  readonly preferences?: object
  /** The site's name; not that of this machine. */
  readonly host?: string
  readonly manifestType?: string
  /** The site has a service worker of its own, made of this. */
  readonly worker?: string
  readonly isLong?: true
}

const csp = (policy: string): Record<string, string> => ({ 'content-security-policy': policy })
const FORBIDDEN = [
  'accelerometer',
  'autoplay',
  'bluetooth',
  'camera',
  'compute-pressure',
  'cross-origin-isolated',
  'display-capture',
  'encrypted-media',
  'fullscreen',
  'geolocation',
  'gyroscope',
  'hid',
  'idle-detection',
  'local-network-access',
  'microphone',
  'midi',
  'payment',
  'picture-in-picture',
  'publickey-credentials-get',
  'screen-wake-lock',
  'serial',
  'storage-access',
  'sync-xhr',
  'unload',
  'usb',
  'web-share'
]
const WORKBOX = `
  import { precacheAndRoute } from 'workbox-precaching'
  import { registerRoute } from 'workbox-routing'
  import { CacheFirst } from 'workbox-strategies'
  precacheAndRoute([{ url: '/kept.txt', revision: '1' }])
  registerRoute(({ url }) => url.pathname.startsWith('/cached/'), new CacheFirst())
  registerRoute(({ url }) => url.pathname === '/made', async () => new Response('made by the worker'))
  addEventListener('install', () => skipWaiting())
  addEventListener('activate', event => event.waitUntil(clients.claim()))`
const IMPORT = "importScripts('/mayfly-worker.js');\n"

const ROWS: readonly Row[] = [
  { what: 'no policy', outcome: 'peers' },
  {
    what: 'Trusted Types, and our policy allowed',
    headers: csp("require-trusted-types-for 'script'; trusted-types mayfly"),
    outcome: 'peers',
    isLong: true
  },
  {
    what: 'Trusted Types, and any policy allowed',
    headers: csp("require-trusted-types-for 'script'"),
    outcome: 'peers',
    isLong: true
  },
  {
    what: 'Trusted Types, and our policy refused',
    headers: csp("require-trusted-types-for 'script'; trusted-types other"),
    outcome: 'nothing'
  },
  {
    what: "scripts by a nonce, without 'strict-dynamic'",
    headers: csp(`script-src 'nonce-${NONCE}'; worker-src 'self'`),
    tag: ` nonce="${NONCE}"`,
    outcome: 'peers'
  },
  {
    what: 'scripts by a nonce, and nothing said of workers',
    headers: csp(`script-src 'nonce-${NONCE}'`),
    tag: ` nonce="${NONCE}"`,
    outcome: 'site',
    isLong: true
  },
  {
    what: "scripts by a nonce and 'strict-dynamic'",
    headers: csp(`script-src 'nonce-${NONCE}' 'strict-dynamic'; worker-src 'self'`),
    tag: ` nonce="${NONCE}"`,
    outcome: 'peers',
    isLong: true
  },
  { what: "script-src 'self' alone", headers: csp("script-src 'self'"), outcome: 'peers', isLong: true },
  { what: 'img-src without blob:', headers: csp("img-src 'self'"), outcome: 'peers', isLong: true },
  { what: 'connect-src without the mediator', headers: csp("connect-src 'self'"), outcome: 'site' },
  { what: "worker-src 'none'", headers: csp("worker-src 'none'"), outcome: 'site', isLong: true },
  {
    what: 'an Integrity-Policy for scripts',
    headers: { 'integrity-policy': 'blocked-destinations=(script)' },
    tag: ' integrity="{}" crossorigin="anonymous"',
    outcome: 'peers',
    isLong: true
  },
  {
    what: 'COOP and COEP',
    headers: { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' },
    outcome: 'peers',
    isLong: true
  },
  {
    what: 'a Permissions-Policy that forbids everything',
    headers: { 'permissions-policy': FORBIDDEN.map(name => `${name}=()`).join(', ') },
    outcome: 'peers',
    isLong: true
  },
  {
    what: 'a sandbox with scripts of the same origin',
    sandbox: 'allow-scripts allow-same-origin',
    outcome: 'peers',
    isLong: true
  },
  { what: 'an ordinary window, not a private one', preferences: {}, outcome: 'peers', isLong: true },
  {
    what: 'storage blocked by the visitor',
    preferences: { profile: { default_content_setting_values: { cookies: 2 } } },
    outcome: 'site',
    isLong: true
  },
  { what: 'plain http', host: 'site.test', outcome: 'nothing', isLong: true },
  { what: "a service worker of the site's own", worker: WORKBOX, outcome: 'site', isLong: true },
  {
    what: 'a service worker of the site, by Workbox, that imports ours',
    worker: IMPORT + WORKBOX,
    outcome: 'peers'
  },
  { what: 'consent that was not given', tag: ' data-consent="wait"', outcome: 'nothing', isLong: true },
  {
    what: 'an image of the page named currentScript',
    before: '<img name="currentScript" src="/picture/0.png" width="9" height="9">',
    tag: ' defer',
    outcome: 'nothing',
    isLong: true
  },
  {
    what: 'a manifest that is an upload of text',
    manifestType: 'text/plain',
    outcome: 'site',
    isLong: true
  }
]

describe('a page with the script tag, seen from outside, under', function () {
  this.timeout(60_000)
  let world: World
  let site: TaggedSite
  let loader: Buffer
  const endings: (() => Promise<unknown>)[] = []

  before(async () => {
    world = await World.shared()
    loader = await readFile(new URL('../../peer/dist/bundle/mayfly.js', import.meta.url))
    site = await new TaggedSite().start()
    for (const [i, colour] of COLOURS.entries())
      await site.add(pathOf(i), 'image/png', plainPng(colour, 20_000))
    site.nameAll()
    pages({ what: '', outcome: 'peers' })
    const first = await WatchedPage.open(await world.context({}))
    await first.page.goto(site.base)
    await first.scrollUntil(
      COLOURS.map((_, i) => pathOf(i)),
      200
    )
    await holds(first.page, PICTURES, world.mediator(0))
    // What it still fetches is none of the others.
    await first.page.evaluate(async () => void (await navigator.serviceWorker.ready))
    endings.push(() => first.page.close())
  })
  beforeEach(() => {
    site.asked.clear()
    site.scripts.clear()
  })
  after(async () => {
    for (const end of endings.reverse()) await end()
    await world.leave()
    site.close()
  })

  /** Makes the site's pages as a row has them: `/` with the tag, `/plain` without, each in a frame where there is a sandbox. */
  function pages({ tag = '', before = '', sandbox, headers = {}, worker, ...row }: Row): void {
    const integrity = integrityOf(loader)
    const attributes = tag.replace('{}', integrity)
    const script = `${before}<script src="/mayfly.js" data-mediators="${world.mediator(0)}"${attributes} data-origin-after-ms="4000"
      data-worker="/mayfly-worker.js?acknowledge=4000" data-manifest="/mayfly-manifest.json"></script>`
    const own =
      worker === undefined
        ? ''
        : "<script>navigator.serviceWorker.register('/own.js?acknowledge=4000')</script>"
    const images = COLOURS.map(
      (_, i) =>
        `<img src="${pathOf(i)}" alt="" width="600" height="400"${i === 0 ? '' : ' loading="lazy"'}><br>`
    ).join('')
    for (const [path, head] of [
      ['/', script],
      ['/plain', before]
    ] as const) {
      const page = `<!doctype html><title>site</title>${own}${head}<body>${images}`
      const frame = `<!doctype html><title>site</title><iframe sandbox="${sandbox}" src="${path}framed" width="690" height="450"></iframe>`
      site.pages.set(path, sandbox === undefined ? page : frame)
      if (sandbox !== undefined) site.pages.set(`${path}framed`, page)
    }
    site.headers = headers
    site.manifestType = row.manifestType ?? 'application/json'
  }
  /** A browser of its own, as somebody has it who has set something. */
  async function ownBrowser({ preferences = {}, host = '' }: Row): Promise<BrowserContext> {
    const profile = await mkdtemp(join(tmpdir(), 'mayfly-profile-'))
    await mkdir(join(profile, 'Default'))
    await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences))
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: await ensureChromium(),
      args: [...CHROMIUM_SWITCHES, ...AGAINST_THROTTLING, `--host-resolver-rules=MAP ${host} 127.0.0.1`]
    })
    endings.push(async () => {
      await context.close()
      await rm(profile, { recursive: true, force: true })
    })
    return context
  }

  /** The site's own service worker, as its build tool makes it. */
  async function addWorker(code: string): Promise<void> {
    const [line = '', source = ''] = code.startsWith(IMPORT)
      ? [IMPORT, code.slice(IMPORT.length)]
      : ['', code]
    const { outputFiles } = await build({
      stdin: { contents: source, resolveDir: import.meta.dirname },
      bundle: true,
      write: false,
      format: 'iife',
      define: { 'process.env.NODE_ENV': '"production"' }
    })
    await site.add('/own.js', 'text/javascript', line + outputFiles[0]?.text)
    await site.add('/kept.txt', 'text/plain', 'kept')
    await site.add('/cached/1.txt', 'text/plain', 'cached')
  }

  async function visit(row: Row, path: string): Promise<readonly [page: WatchedPage, ms: number]> {
    const isOwn = row.preferences !== undefined || row.host !== undefined
    const context = await (isOwn ? ownBrowser(row) : world.context({}))
    await context.addInitScript({ content: WATCHES_WORKER })
    const watched = await WatchedPage.open(context)
    const address = new URL(path, site.base)
    address.hostname = row.host ?? address.hostname
    return [watched, await watched.jump(address.href, JUMPED)]
  }

  /** Somebody is reached, and the page goes through the worker. */
  async function isReached({ page }: WatchedPage): Promise<void> {
    await page
      .frames()
      .at(-1)
      ?.waitForFunction(() => {
        const { connections, isShown } = globalThis as unknown as {
          connections: { open: number }
          isShown?: boolean
        }
        return connections.open > 0 && isShown === true && navigator.serviceWorker.controller !== null
      })
  }

  for (const row of ROWS)
    it(`${row.what}: ${row.outcome}${row.isLong ? ' @long' : ''}`, async () => {
      if (row.worker !== undefined) await addWorker(row.worker)
      pages(row)
      const took: { without: number; with: number }[] = []
      const best = (of: 'without' | 'with'): number => Math.min(...took.map(one => one[of]))
      let control: WatchedPage | undefined
      let watched: WatchedPage | undefined
      do {
        const [plain, without] = await visit(row, 'plain')
        const [page, ms] = await visit(row, '')
        took.push({ without, with: ms })
        await Promise.all([control, watched].map(one => one?.page.context().close()))
        control = plain
        watched = page
      } while (best('with') > LATER * best('without') + LATER_MS && took.length < TRIES)
      expect(best('with')).to.be.at.most(LATER * best('without') + LATER_MS)

      if (row.outcome === 'peers') await isReached(watched)
      else await watched.page.waitForTimeout(NOTHING_MS)
      site.asked.clear()
      const before = watched.came.size
      await watched.scrollUntil(
        COLOURS.map((_, i) => pathOf(i)),
        -200
      )
      await watched.unfold()
      const shown = new Set<string>()
      while (COLOURS.some(colour => !shown.has(colour.join())))
        for (const colour of await watched.colours()) shown.add(colour)

      const came = watched.came.size - before
      if (row.outcome === 'peers') expect(site.askedFor('/picture/')).to.be.lessThan(came)
      else expect((await watched.connections()).begun).to.equal(0)
      if (row.outcome === 'nothing') {
        expect(watched.sockets).to.deep.equal([])
        expect([...site.scripts]).to.deep.equal(['mayfly.js'])
      }
      if (row.worker !== undefined) await isWhole(watched)
      const ours = watched.lines.filter(line => !control.lines.includes(line))
      expect(ours.length, ours.join('\n')).to.be.at.most(1)
      await Promise.all([control, watched].map(one => one.page.context().close()))
    })

  /** What the site's own worker does is as ever. */
  async function isWhole({ page }: WatchedPage): Promise<void> {
    const texts = await page.evaluate(async () => {
      const all: string[] = []
      for (const path of ['/made', '/kept.txt', '/cached/1.txt', '/cached/1.txt'])
        all.push(await (await fetch(path)).text())
      return [...all, navigator.serviceWorker.controller?.scriptURL.split('/').at(-1)]
    })
    expect(texts).to.deep.equal(['made by the worker', 'kept', 'cached', 'cached', 'own.js?acknowledge=4000'])
    expect([site.askedFor('/kept.txt'), site.askedFor('/cached/')]).to.deep.equal([0, 1])
  }
})
