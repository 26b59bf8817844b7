import { STORE, storeUrl } from '../../src/site/store-name.js'
import { fullHashOf, levelsOf, rootOf } from '../../src/site/tree.js'
import { openSiteWorker, type SiteFetchEvent, type SiteWorker } from '../../src/site/worker/site-worker.js'
import type { Acknowledged, Answer, Asked, Came, WorkerMessage } from '../../src/site/worker/talk.js'
import type { ObjectSource } from '../../src/site/object-session.js'
import { settle } from '../manual-clock.js'
import { VirtualTime } from './virtual-time.js'

export const SITE = 'https://site.example'
export const MANIFEST = `${SITE}/mayfly-manifest.json`
export const MINUTE = 60_000
/** Turns in which what needs no timer is done, but for hashes. */
const TURNS = 5

type Bytes = Uint8Array<ArrayBuffer>

export const bytesOf = (text: string): Bytes => new TextEncoder().encode(text)
export const hashOf = async (text: string): Promise<string> => {
  const bytes = bytesOf(text)
  return fullHashOf(rootOf(await levelsOf(bytes)), bytes.length)
}

/** How what is waited for fails. */
export type Fault = 'hangs' | 'throws' | 'rejects'
export const FAULTS: readonly Fault[] = ['hangs', 'throws', 'rejects']

export function fail(fault: Fault): Promise<never> {
  const error = new DOMException('no', 'SecurityError')
  if (fault === 'throws') throw error
  return fault === 'rejects' ? Promise.reject(error) : new Promise(() => {})
}

/** CacheStorage as far as the worker uses it. */
class TestCaches {
  readonly held = new Map<string, Map<string, Response>>()
  fault: Fault | undefined

  open(name: string): Promise<Cache> {
    if (this.fault) return fail(this.fault)
    const entries = this.held.get(name) ?? new Map<string, Response>()
    this.held.set(name, entries)
    const keyOf = (key: string): string => new URL(key, SITE).href
    return Promise.resolve({
      match: (key: string) =>
        this.fault ? fail(this.fault) : Promise.resolve(entries.get(keyOf(key))?.clone()),
      put: (key: string, response: Response) => Promise.resolve(void entries.set(keyOf(key), response)),
      delete: (key: string) => Promise.resolve(entries.delete(keyOf(key))),
      keys: () => Promise.resolve([...entries.keys()].map(url => ({ url })))
    } as unknown as Cache)
  }
}

type Reply = (message: Acknowledged | Answer, transfer?: Transferable[]) => void
/** What a page does when it is asked. */
export type PageAnswer = (reply: Reply) => void

/** Asks nobody. */
export const refuses: PageAnswer = reply => reply(false)
export const isSilent: PageAnswer = () => {}
/** Tries for so long, and has found nothing. */
export const findsNothing: PageAnswer = reply => {
  reply(500)
  reply(undefined)
}
export const brings =
  (text: string, source: ObjectSource = 'peer'): PageAnswer =>
  reply => {
    reply(500)
    reply({ bytes: bytesOf(text), source })
  }
export const streams =
  (stream: ReadableStream<Bytes>): PageAnswer =>
  reply => {
    reply(1_000)
    reply({ stream }, [stream])
  }

export class TestPage {
  readonly asked: string[] = []
  lastAsked: Asked | undefined
  readonly came: Came[] = []
  answer: PageAnswer = refuses

  readonly id: string

  constructor(id: string) {
    this.id = id
  }

  postMessage({ mayfly: { ask, came } }: { mayfly: WorkerMessage }, [port]: Transferable[] = []): void {
    this.came.push(...(came ?? []))
    if (!ask) return
    this.asked.push(ask.fullHash)
    this.lastAsked = ask
    this.answer((message, transfer = []) => (port as MessagePort).postMessage(message, transfer))
  }
}

/** A site with its service worker and pages. Timers move when told; the clock on the wall is `now`. */
export class WorkerWorld {
  readonly time = new VirtualTime()
  readonly caches = new TestCaches()
  readonly pages = new Map<string, TestPage>()
  /** What went to the network, manifest and its sections apart: as it was given to `fetch`. */
  readonly fetched: (string | Request)[] = []
  readonly sections: string[] = []
  now = 1_000 * MINUTE
  clientsFault: Fault | undefined
  manifest: () => Response | Promise<Response> = () => new Response('', { status: 404 })
  section: () => Response | Promise<Response> = () => new Response('', { status: 404 })
  network: (url: string) => Response | Promise<Response> = () => new Response('network')
  worker!: SiteWorker
  readonly #lasting: Promise<unknown>[] = []
  readonly #digest = crypto.subtle.digest.bind(crypto.subtle)
  /** Hashes that are being reckoned, in other threads: turns tell nothing of when they are done. */
  #hashing = 0

  constructor() {
    crypto.subtle.digest = async (...of: Parameters<SubtleCrypto['digest']>) => {
      this.#hashing++
      return this.#digest(...of).finally(() => this.#hashing--)
    }
  }

  /** As the browser does when it starts it, also after it ended it. */
  start(): this {
    this.worker = openSiteWorker(MANIFEST, {
      caches: this.caches as unknown as CacheStorage,
      clients: {
        get: id => (this.clientsFault ? fail(this.clientsFault) : Promise.resolve(this.pages.get(id)))
      },
      now: () => this.now,
      acknowledgeMs: 50,
      fetch: input => {
        const url = input instanceof Request ? input.url : String(input)
        if (url === MANIFEST) return Promise.resolve(this.manifest())
        if (/m-\w+\.json$/.test(url)) {
          this.sections.push(url)
          return Promise.resolve(this.section())
        }
        this.fetched.push(input instanceof Request ? input : url)
        return Promise.resolve(this.network(url))
      }
    })
    return this
  }

  end(): void {
    crypto.subtle.digest = this.#digest
    this.time.end()
  }

  async name(files: Readonly<Record<string, string>>, change: object = {}): Promise<void> {
    const entries = await Promise.all(
      Object.entries(files).map(async ([path, text]) => [
        path,
        { fullHash: await hashOf(text), length: text.length, type: typeOf(path) }
      ])
    )
    const text = JSON.stringify({ version: 1, base: '/', files: Object.fromEntries(entries), ...change })
    this.manifest = () => json(text)
  }

  page(id: string): TestPage {
    const page = new TestPage(id)
    this.pages.set(id, page)
    return page
  }

  /** The answer of the worker; undefined: it leaves the request to the browser. */
  ask(path: string, clientId: string, headers: Record<string, string> = {}): Promise<Response | undefined> {
    return this.send(new Request(`${SITE}/${path}`, { headers }), clientId)
  }

  async send(request: Request, clientId: string, resultingClientId = ''): Promise<Response | undefined> {
    let answer: Promise<Response> | undefined
    const event: SiteFetchEvent = {
      request,
      clientId,
      resultingClientId,
      respondWith: response => {
        answer = response
      },
      waitUntil: promise => this.#lasting.push(promise)
    }
    this.worker.fetch(event)
    return answer
  }

  /** The worker has done what is of no matter to its answers. */
  async rest(): Promise<void> {
    for (let one = this.#lasting.shift(); one; one = this.#lasting.shift()) await this.msUntil(one)
  }

  /** Until it holds, without a timer. */
  async turns(condition: () => boolean): Promise<void> {
    await this.#idle()
    if (!condition()) throw new Error(`did not come true: ${condition.toString()}`)
  }

  /** Milliseconds until it settles. */
  msUntil(promise: Promise<unknown>): Promise<number> {
    return this.time.msUntil(promise, 10, () => this.#idle())
  }

  async #idle(): Promise<void> {
    for (let turn = 0; turn < TURNS || this.#hashing > 0; turn++) await settle()
  }

  /** A page is opened, and says that it is shown. */
  async open(id: string, isShown = true): Promise<TestPage> {
    const page = this.page(id)
    const request = new Request(`${SITE}/`)
    Object.defineProperty(request, 'mode', { value: 'navigate' })
    await this.send(request, '', id)
    await this.rest()
    if (isShown) await this.worker.message(id, { mayfly: 'shown' })
    return page
  }

  /** `manifest`: of the site whose page has kept it. */
  async hold(text: string, content = text, manifest = MANIFEST): Promise<string> {
    const fullHash = await hashOf(text)
    const cache = await this.caches.open(STORE)
    await cache.put(storeUrl(fullHash, text.length, manifest), new Response(content))
    // The next navigation looks again.
    this.now += 3_000
    return fullHash
  }
}

export function json(text: string): Response {
  return new Response(text, { headers: { 'Content-Type': 'application/json' } })
}

/** As a player asks. */
export function mediumRequest(path: string, range?: string): Request {
  const request = new Request(`${SITE}/${path}`, { headers: range === undefined ? {} : { range } })
  Object.defineProperty(request, 'destination', { value: 'video' })
  return request
}

function typeOf(path: string): string {
  return path.endsWith('.mp4') ? 'video/mp4' : 'image/png'
}
