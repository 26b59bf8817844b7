import { expect } from 'chai'
import { holds } from './seeded.js'
import { TaggedSite, noisePng } from './tagged-site.js'
import { WatchedPage } from './watched-page.js'
import { World } from './world.js'

const PICTURE = '/picture.png'
/** Somebody was named by then, and a connection would be begun. */
const NOTHING_MS = 500
/** Takes over pages, and answers nothing by itself. */
const OWN = `addEventListener('install', () => skipWaiting())
addEventListener('activate', event => event.waitUntil(clients.claim()))`
const IMPORTING = `importScripts('/mayfly-worker.js');\n${OWN}`
/** Is on its way for as long as the page is there. */
const INSTALLING = `addEventListener('install', event => event.waitUntil(new Promise(() => {})))`

describe("a service worker of the site's own, in a page with the script tag", function () {
  this.timeout(20_000)
  let world: World
  let site: TaggedSite

  before(async () => {
    world = await World.shared()
    site = await new TaggedSite().start()
    await site.add(PICTURE, 'image/png', noisePng(1, 20_000), true)
    site.nameAll()
    for (const [path, code] of Object.entries({
      '/own.js': OWN,
      '/importing.js': IMPORTING,
      '/installing.js': INSTALLING
    }))
      await site.add(path, 'text/javascript', code)
    const tag = `<script src="/mayfly.js" data-mediators="${world.mediator(0)}" data-origin-after-ms="4000"
      data-worker="/mayfly-worker.js" data-manifest="/mayfly-manifest.json"></script>`
    for (const path of ['', 'own.js', 'importing.js', 'installing.js']) {
      const register = path && `<script>navigator.serviceWorker.register('/${path}')</script>`
      site.pages.set(
        `/${path && `with-${path}`}`,
        `<!doctype html><title>site</title>${register}${tag}<body><img src="${PICTURE}" alt="">`
      )
    }
    site.pages.set('/empty', '<!doctype html><title>site</title>')
    const first = await WatchedPage.open(await world.context({}))
    await first.page.goto(site.base)
    await holds(first.page, 1, world.mediator(0))
  })
  after(async () => {
    await world.leave()
    site.close()
  })

  /** A visitor, and what happens in his page when somebody is named. */
  async function visit(path: string, registered?: string): Promise<WatchedPage> {
    const watched = await WatchedPage.open(await world.context({}))
    if (registered !== undefined) {
      await watched.page.goto(`${site.base}empty`)
      await watched.page.evaluate(async address => {
        await navigator.serviceWorker.register(address)
        await navigator.serviceWorker.ready
      }, registered)
    }
    const named = new Promise<void>(resolve =>
      watched.page.on('websocket', socket =>
        socket.on('framereceived', ({ payload }) => {
          const { type, peers } = JSON.parse(String(payload)) as { type: string; peers?: unknown[] }
          if (type === 'peers' && peers?.length) resolve()
        })
      )
    )
    await watched.page.goto(new URL(path, site.base).href)
    await named
    return watched
  }

  const begun = async (watched: WatchedPage): Promise<number> => (await watched.connections()).begun

  for (const [what, path, registered] of [
    ['was there before', '', '/own.js'],
    ['is registered by the page', 'with-own.js', undefined],
    ['is on its way', 'with-installing.js', undefined]
  ] as const)
    it(`hands nothing on where it has not imported ours, and nobody is connected to: it ${what}`, async () => {
      const watched = await visit(path, registered)
      await watched.page.waitForTimeout(NOTHING_MS)
      expect(await begun(watched)).to.equal(0)
    })

  for (const [what, path, registered] of [
    ['was there before', '', '/importing.js'],
    ['is registered by the page', 'with-importing.js', undefined]
  ] as const)
    it(`has others connected to where it has imported ours: it ${what}`, async () => {
      const watched = await visit(path, registered)
      while ((await begun(watched)) === 0) await watched.page.waitForTimeout(20)
    })
})
