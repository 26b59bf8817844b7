import { expect } from 'chai'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Page } from 'playwright-core'
import { fill, holds, seeded } from './seeded.js'
import { type SiteFile, TaggedSite, WATCHES_WORKER, noisePng } from './tagged-site.js'
import { World } from './world.js'

/** No picture is shown later than this after the time at which it would have been without others. */
const LATE_MS = 1_000
/** And one that is out of sight waits for a second by design. */
const FAR_LATE_MS = 1_500
/** A page that is whole has a session by then. */
const SHOWN_MS = 1_000
/** Pictures that the visitor holds, that others have, and that nobody has; whether they are seen. Of each row there is one. */
const KINDS = { held: true, peers: false, near: true, nobody: true } as const
type Kind = keyof typeof KINDS
/** A tab that can fall asleep: then it says nothing any more, to anybody. */
const MUTE = `globalThis.fallAsleep = () => {
  for (const { prototype } of [BroadcastChannel, MessagePort, ServiceWorker]) prototype.postMessage = () => {}
}`

/** What hangs, throws or rejects: in the page, in the worker, or on the way to one of the script's parts. */
interface Row {
  readonly what: string
  /** Run in the page before anything else. */
  readonly page?: string
  /** Run in the service worker, which the visitor has from an earlier page; and what takes it back. */
  readonly worker?: string
  /** The script of this name is never answered, or answered with something else. */
  readonly part?: string
  readonly isPartWrong?: boolean
  /** Another page of the site. */
  readonly path?: string
  readonly isLong?: boolean
}

const HANGS = '() => new Promise(() => {})'
const THROWS = '() => { throw new Error("broken") }'
const REJECTS = '() => Promise.reject(new Error("broken"))'
/** A method of a browser's API that does each of these in turn; in the usual run it hangs only. */
const each = (where: 'page' | 'worker', method: string, isLong = false): Row[] =>
  [HANGS, THROWS, REJECTS].map((how, i) => ({
    what: `${method} ${['hangs', 'throws', 'rejects'][i]} in the ${where}`,
    [where]: `${method} = ${how}`,
    isLong: isLong || i > 0
  }))

const PARTS = ['objects', 'client', 'uploads', 'streams', 'requests']
const ROWS: readonly Row[] = [
  ...PARTS.flatMap(part => [
    { what: `mayfly-${part}.js is never answered`, part, isLong: part !== 'objects' && part !== 'client' },
    { what: `mayfly-${part}.js is another script`, part, isPartWrong: true, isLong: true }
  ]),
  ...each('page', 'LockManager.prototype.request'),
  ...each('page', 'CacheStorage.prototype.open'),
  ...each('page', 'Cache.prototype.keys', true),
  ...each('page', 'Cache.prototype.match', true),
  ...each('page', 'Cache.prototype.put', true),
  ...each('page', 'SubtleCrypto.prototype.digest', true),
  ...each('page', 'RTCPeerConnection.prototype.createOffer'),
  ...each('page', 'RTCPeerConnection.prototype.setLocalDescription', true),
  ...each('page', 'RTCPeerConnection.prototype.setRemoteDescription', true),
  ...each('page', 'ServiceWorkerContainer.prototype.register', true),
  ...each('page', 'ServiceWorkerContainer.prototype.getRegistration', true),
  ...each('page', 'ServiceWorker.prototype.postMessage', true),
  ...each('page', 'MessagePort.prototype.postMessage'),
  ...each('page', 'BroadcastChannel.prototype.postMessage', true),
  ...each('page', 'RTCDataChannel.prototype.send'),
  ...each('page', 'URL.createObjectURL', true),
  {
    what: 'there is no WebSocket in the page',
    page: 'WebSocket = class { constructor() { throw new Error("broken") } }',
    isLong: true
  },
  {
    what: 'localStorage throws in the page',
    page: 'Object.defineProperty(globalThis, "localStorage", { get() { throw new Error("broken") } })',
    isLong: true
  },
  ...each('worker', 'CacheStorage.prototype.open'),
  ...each('worker', 'Cache.prototype.match'),
  ...each('worker', 'Cache.prototype.keys', true),
  ...each('worker', 'Clients.prototype.get'),
  ...each('worker', 'SubtleCrypto.prototype.digest', true),
  ...each('worker', 'Response.prototype.arrayBuffer', true),
  { what: 'the mediator accepts, and says nothing', path: '/silent' },
  { what: 'the mediator refuses', path: '/refused', isLong: true }
]

describe('what a page of the script tag waits for', function () {
  this.timeout(60_000)
  let world: World
  let site: TaggedSite
  let visitor: Page
  let silent: Server
  const sockets = new Set<Socket>()

  before(async () => {
    world = await World.shared()
    site = await new TaggedSite().start()
    silent = createServer(socket => sockets.add(socket)).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const add = async (kind: string, at: number): Promise<void> => {
      for (let i = 0; i <= ROWS.length; i++)
        await site.add(`/${kind}/${i}.png`, 'image/png', noisePng(1 + i + 500 * at, 12_000))
    }
    for (const [at, kind] of Object.keys(KINDS).entries()) await add(kind, at)
    await site.add('/first.png', 'image/png', noisePng(2_000, 12_000))
    // A worker in which anything can be broken, and mended.
    await site.add(
      '/mayfly-worker.odd.js',
      'text/javascript',
      `addEventListener('message', ({ data, ports: [port] }) => {
        if (!data.break) return
        const [, owner, method] = /^(.*)\\.(\\w+) = /.exec(data.break)
        const was = eval(owner)[method]
        globalThis.mend = () => (eval(owner)[method] = was)
        eval(data.break)
        port.postMessage(1)
      })
      addEventListener('message', ({ data, ports: [port] }) => {
        if (data.mend) port.postMessage(globalThis.mend?.() && 1)
      })
      importScripts('/mayfly-worker.js')`
    )
    site.nameAll()
    await add('plain', 10)
    site.pages.set('/empty', '<!doctype html><title>site</title>')
    site.pages.set('/', pageWith(world.mediator(0)))
    site.pages.set('/silent', pageWith(`ws://127.0.0.1:${(silent.address() as AddressInfo).port}`))
    site.pages.set('/refused', pageWith('ws://127.0.0.1:9'))
    const other = await world.visit(`${site.base}empty`)
    await fill(other, ofKinds('peers', 'near'))
    await other.goto(site.base)
    await holds(other, 2 * (ROWS.length + 1) + 1, undefined)
    await seeded(world.mediator(0), site.files.get(`/near/${ROWS.length}.png`)?.fullHash)
    await seeded(world.mediator(0), site.files.get('/first.png')?.fullHash)
    visitor = await world.visit(`${site.base}empty`, { before: WATCHES_WORKER })
    await fill(visitor, ofKinds('held'))
    await visitor.goto(site.base)
    await visitor.waitForFunction(() => (globalThis as { isShown?: boolean }).isShown)
    // The session is that of the tabs to come.
    await visitor.goto(`${site.base}empty`)
  })
  after(async () => {
    for (const socket of sockets) socket.destroy()
    silent.close()
    expect(await world.leave(/favicon|404|ERR_|Failed to load|broken|integrity|WebSocket/)).to.deep.equal([])
    site.close()
  })

  const pageWith = (mediator: string): string =>
    `<!doctype html><title>site</title><script src="/mayfly.js" data-mediators="${mediator}" data-worker="/mayfly-worker.odd.js"
      data-manifest="/mayfly-manifest.json"></script><body><img src="/first.png" alt="">`

  const ofKinds = (...kinds: readonly string[]): [string, SiteFile][] =>
    [...site.files].filter(([path]) => kinds.includes(path.split('/')[1] ?? ''))
  const tellWorker = (page: Page, message: object): Promise<unknown> =>
    page.evaluate(
      async text =>
        new Promise(resolve => {
          const { port1, port2 } = new MessageChannel()
          port1.onmessage = resolve
          navigator.serviceWorker.controller!.postMessage(JSON.parse(text), [port2])
        }),
      JSON.stringify(message)
    )
  /** Milliseconds until pictures are shown, more than one takes that is not in the manifest. */
  const lateness = (page: Page, n: number): Promise<Record<Kind, number>> =>
    page.evaluate(
      async ([kinds, i]) => {
        const take = async (src: string, isSeen: boolean): Promise<number> => {
          const at = Date.now()
          const image = Object.assign(document.createElement('img'), { src, alt: '' })
          if (!isSeen) image.style = 'display: block; margin-top: 9000px'
          document.body[isSeen ? 'prepend' : 'append'](image)
          await image.decode()
          return Date.now() - at
        }
        const plain = await take(`/plain/${i}.png`, true)
        const all = Object.entries(kinds).map(
          async ([kind, isSeen]) => [kind, (await take(`/${kind}/${i}.png`, isSeen)) - plain] as const
        )
        return Object.fromEntries(await Promise.all(all)) as Record<Kind, number>
      },
      [KINDS, n] as const
    )
  /** A further tab of the visitor. */
  const open = async ({ page: before = '', part, isPartWrong, path = '/' }: Row): Promise<Page> => {
    const page = await visitor.context().newPage()
    await page.addInitScript({ content: before })
    if (part)
      await page.route(`**/mayfly-${part}.js`, route =>
        isPartWrong ? route.fulfill({ contentType: 'text/javascript', body: 'throw "broken"' }) : undefined
      )
    await page.goto(new URL(path, site.base).href, { waitUntil: 'commit' })
    await page
      .waitForFunction(() => (globalThis as { isShown?: boolean }).isShown, undefined, { timeout: SHOWN_MS })
      .catch(() => {})
    return page
  }
  const isInTime = async (page: Page, n: number): Promise<void> => {
    const late = await lateness(page, n)
    for (const kind of Object.keys(KINDS) as Kind[])
      expect(late[kind], `${kind} of ${JSON.stringify(late)}`).to.be.below(
        KINDS[kind] ? LATE_MS : FAR_LATE_MS
      )
  }

  const isLoaded = (page: Page): Promise<unknown> =>
    page.waitForFunction(() => document.readyState === 'complete', undefined, { timeout: LATE_MS })

  for (const [n, row] of ROWS.entries()) {
    it(`holds neither a picture nor the page’s load event up where ${row.what}${row.isLong ? ' @long' : ''}`, async () => {
      const page = await open(row)
      if (row.worker) await tellWorker(page, { break: row.worker })
      try {
        await isInTime(page, n)
        await isLoaded(page)
      } finally {
        if (row.worker) await tellWorker(page, { mend: true })
        await page.close()
      }
    })
  }

  it('holds no picture up where another tab has the session, and is asleep', async () => {
    const first = await open({ what: '', page: MUTE })
    await first.evaluate(() => (globalThis as unknown as { fallAsleep(): void }).fallAsleep())
    const second = await open({ what: '' })
    await isInTime(second, ROWS.length)
    await second.close()
    await first.close()
  })
})
