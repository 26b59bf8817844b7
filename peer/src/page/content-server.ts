import { isFullHash } from '@mayfly/common'
import type { ContentServer, Download, PublishOptions, ServeOptions } from '../api.js'
import { contentResponse } from '../content-response.js'
import { parseRange } from '../core/byte-range.js'
import { reasonOf } from '../error.js'
import { contentAddress } from './worker/content-address.js'
import { answerOn, isAsked } from './worker/line.js'

/** Contents that have an address; the oldest loses it. */
const MAX_PUBLISHED = 1_024

/** How long the worker may take to begin: it is small. */
const CONTROL_MS = 5_000

/** How often the worker hears that a page still serves: browsers end those that are idle for 30 s. */
const ALIVE_EVERY_MS = 10_000

/** Types that a browser would run, or show as a page of this site. */
const REFUSED = /^(text\/(html|xml|xsl)|multipart\/|.*(xhtml|\+xml|\/xml|script|wasm))/

const MIME_TYPE = /^[\w.+-]+\/[\w.+-]+(;[\x20-\x7e]*)?$/

/** What is given away under an address: nobody else decides on its type. */
interface Published {
  readonly owner: object
  readonly type: string
  /** Whether the download is the caller's, and goes on when its reader leaves. */
  readonly stays: boolean
  readonly open: () => Download
}

const published = new Map<string, Published>()
let listening = false
let answering = 0

/** Gives contents of `session` addresses on this site, by a service worker; or says why it cannot. */
export async function serveContents(
  session: { get(fullHash: string, options: { onDemand: boolean }): Download },
  options: ServeOptions
): Promise<ContentServer> {
  const worker = new URL(options.worker ?? 'mayfly-worker.js', document.baseURI).href
  const scope = new URL(options.scope ?? './', document.baseURI).href
  try {
    await control(worker, scope)
  } catch (error) {
    return { available: false, reason: reasonOf(error) }
  }
  const urlOf = (content: Download | string, publish: PublishOptions): string => {
    const fullHash = typeof content === 'string' ? content : content.fullHash
    if (!isFullHash(fullHash)) throw new TypeError('a full hash has 64 lowercase hex digits')
    const type = publish.type.toLowerCase()
    if (!MIME_TYPE.test(type)) throw new TypeError(`there is no type “${type}”`)
    if (type !== 'image/svg+xml' && REFUSED.test(type)) throw new TypeError(`${type} has no address here`)
    const get = (): Download =>
      typeof content === 'string' ? session.get(fullHash, { onDemand: true }) : content
    published.delete(fullHash)
    published.set(fullHash, { owner: session, type, stays: typeof content !== 'string', open: get })
    for (const oldest of published.keys()) {
      if (published.size <= MAX_PUBLISHED) break
      published.delete(oldest)
    }
    const { name, url, save } = publish
    return contentAddress(scope, fullHash, {
      ...(name === undefined ? {} : { name }),
      ...(url === undefined ? {} : { from: new URL(url, document.baseURI).href }),
      ...(save === undefined ? {} : { save })
    })
  }
  return { available: true, urlOf }
}

/** Nothing of this session has an address any more. */
export function stopServing(session: object): void {
  for (const [fullHash, { owner }] of published) if (owner === session) published.delete(fullHash)
}

/** Settles when requests of this page go through our worker. Rejects with an Error that says why they do not. */
async function control(worker: string, scope: string): Promise<void> {
  if (!isSecureContext) throw new Error('the page did not come over https')
  // Private windows of some browsers have none.
  if (!('serviceWorker' in navigator)) throw new Error('this browser has no service workers here')
  const { serviceWorker } = navigator
  listen(serviceWorker)
  // The script tag registers it with the manifest in its address: it does both where that says so.
  const known = await serviceWorker.getRegistration(scope).catch(() => undefined)
  const isThere = known?.scope === scope && isSameScript(known.active, worker)
  const registration = isThere
    ? known
    : await serviceWorker
        .register(trusted(servingAddress(known?.active, worker)), { scope })
        .catch((error: unknown) => {
          throw new Error(`the browser refuses the service worker (${reasonOf(error)})`)
        })
  await within(CONTROL_MS, async signal => {
    while (!isSameScript(serviceWorker.controller, worker)) {
      // After a forced reload, a page that is in the scope has no worker until that claims it.
      registration.active?.postMessage('mayfly-claim')
      await once(serviceWorker, 'controllerchange', signal)
    }
  })
}

/** Whether a worker is of this script, and serves. */
function isSameScript(worker: ServiceWorker | null, script: string): boolean {
  const { scriptURL } = worker ?? { scriptURL: '' }
  return isOfFile(scriptURL, script) && servingAddress(worker, script) === scriptURL
}

/** The address under which a script serves: that of the worker which is there, if it is of the same file. */
function servingAddress(worker: ServiceWorker | null | undefined, script: string): string {
  if (!worker || !isOfFile(worker.scriptURL, script)) return script
  const url = new URL(worker.scriptURL)
  if (!url.searchParams.has('manifest') || url.searchParams.has('serve')) return worker.scriptURL
  url.searchParams.set('serve', '')
  return url.href
}

function isOfFile(address: string, script: string): boolean {
  return address.split('?', 1)[0] === script.split('?', 1)[0]
}

function listen(serviceWorker: ServiceWorkerContainer): void {
  if (listening) return
  listening = true
  serviceWorker.addEventListener('message', ({ data, ports: [port] }: MessageEvent<unknown>) => {
    if (port === undefined || !isAsked(data)) return
    const content = published.get(data.fullHash)
    answering++
    answerOn(port, content && respond(content, data.range), () => answering--)
  })
  serviceWorker.startMessages()
  setInterval(() => {
    if (answering > 0) serviceWorker.controller?.postMessage('mayfly-alive')
  }, ALIVE_EVERY_MS)
}

async function respond({ type, stays, open }: Published, range: string | null): Promise<Response> {
  const response = await contentResponse(open(), { range: parseRange(range), type, stays })
  // Opened as a page of its own, it is shown, but runs nothing and is not part of this site.
  response.headers.set('Content-Security-Policy', "sandbox; default-src 'none'; style-src 'unsafe-inline'")
  response.headers.set('X-Content-Type-Options', 'nosniff')
  response.headers.set('Cross-Origin-Resource-Policy', 'same-origin')
  return response
}

interface ScriptPolicy {
  createScriptURL(url: string): string
}

let policy: ScriptPolicy | undefined

/** Where a page allows scripts by policy only, ours is called `mayfly`, and made once. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as {
    trustedTypes?: { createPolicy(name: string, rules: ScriptPolicy): ScriptPolicy }
  }
  try {
    policy ??= trustedTypes?.createPolicy('mayfly', { createScriptURL: text => text })
    return policy?.createScriptURL(url) ?? url
  } catch {
    // The page allows no such policy: the browser says what it thinks of the address itself.
    return url
  }
}

async function within(ms: number, task: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const signal = AbortSignal.timeout(ms)
  try {
    await task(signal)
  } catch {
    throw new Error('the service worker does not take this page over')
  }
}

function once(target: EventTarget, type: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    target.addEventListener(type, () => resolve(), { once: true, signal })
    signal.addEventListener('abort', () => reject(new Error('too late')), { once: true })
  })
}
