/**
 * The page's side of the service worker, `mayfly-client.js`: registers it, answers its questions with the page's session, and
 * tells where what it answered came from.
 */
import { addressOf } from '../core/site-manifest.js'
import { beginStream } from './begin-stream.js'
import type { PartsScope, SiteSession } from './parts.js'
import type { Acknowledged, Answer, Asked, Came, PageMessage, WorkerMessage } from './worker/talk.js'

/** The first bytes of what is streamed have so long: then the worker asks the network. */
const FIRST_BYTES_MS = 4_000

const { mayfly } = globalThis as unknown as PartsScope
const { data, opened, obstacles, shown, patienceMs } = mayfly.parts.host

/** Answers the questions of the worker at this address, and registers it. */
function serve(container: ServiceWorkerContainer, worker: string, manifest: string): void {
  let isShown = false
  let hello: PageMessage = 'here'

  const say = (): void => container.controller?.postMessage({ mayfly: hello })
  const register = async (): Promise<void> => {
    const url = new URL(worker, document.baseURI)
    url.searchParams.set('manifest', new URL(manifest, document.baseURI).href)
    const { active } = (await container.getRegistration()) ?? {}
    // A site's own service worker stays.
    if (!active || /mayfly/.test(active.scriptURL)) await container.register(url)
  }
  const answer = async (ask: Asked, port: MessagePort): Promise<void> => {
    const reply = (message: Acknowledged | Answer, transfer: Transferable[] = []): void =>
      port.postMessage(message, transfer)
    const session = isShown ? await opened(ask.length) : undefined
    reply(session !== undefined)
    if (!session) return
    if (!ask.range) {
      // Without a URL only other visitors are asked: the worker knows the network itself.
      reply(await session.bring({ ...ask, url: '', patienceMs: patienceMs() }).catch(() => undefined))
      return
    }
    const stream = await streamOf(session, ask).catch(() => undefined)
    try {
      reply(stream && { stream }, stream && [stream])
    } catch {
      // Safari hands no streams over.
      void stream?.cancel()
      reply(undefined)
    }
  }
  const hear = async ({ data: message, ports: [port] }: MessageEvent<unknown>): Promise<void> => {
    const { ask, keep, came } = ((message as { mayfly?: WorkerMessage } | null)?.mayfly ??
      {}) as WorkerMessage
    if (came) show(came)
    if (ask && port) void answer(ask, port)
    if (keep) {
      const bytes = await keep.blob.arrayBuffer()
      await (await opened())?.keep(keep.fullHash, new Uint8Array(bytes))
    }
  }
  container.addEventListener('message', event => void hear(event).catch(() => {}))
  container.addEventListener('controllerchange', say)
  void shown.then(async () => {
    isShown = true
    // Where there is too little to pay by now, what the worker asks for may be enough.
    if ((await opened()) || obstacles().fetch === 'weight') hello = 'shown'
    say()
  })
  // Where it fails, the page is whole without it.
  const whenIdle = (): unknown =>
    (globalThis.requestIdleCallback ?? setTimeout)(() => void register().catch(() => {}))
  if (document.readyState === 'complete') whenIdle()
  else addEventListener('load', whenIdle)
}

/** Tells where objects came from: what is told of one last is on its element. */
function show(came: readonly Came[]): void {
  const sources = new Map(came.map(one => [one.url, one.source]))
  for (const detail of came) performance.measure('mayfly', { start: performance.now(), detail })
  for (const element of document.querySelectorAll<HTMLImageElement>('img,[src],link')) {
    const source = sources.get(element.currentSrc || element.src || (element as { href?: string }).href || '')
    if (source) element.dataset['mayflySource'] = source
  }
}

/** What is too long to be brought whole, once its first bytes are there; undefined: nobody but the network has it. */
async function streamOf(
  session: SiteSession,
  { fullHash, length, type, url, base, sidecar, range }: Asked
): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | undefined> {
  if (!range || sidecar === undefined || base === undefined) return undefined
  const aborter = new AbortController()
  const late = setTimeout(() => aborter.abort(), FIRST_BYTES_MS)
  const wish = { fullHash, length, type, url, sidecar: addressOf({ base }, sidecar) }
  const content = await session.stream(wish)
  if (!content || aborter.signal.aborted) return undefined
  const stream = await beginStream(content, range, aborter.signal, read =>
    show(read.map(one => ({ ...one, url, fullHash })))
  )
  clearTimeout(late)
  return stream
}

// None in a page that did not come over https, and in some private windows.
const container = navigator.serviceWorker as ServiceWorkerContainer | undefined
const { worker, manifest } = data
if (container && worker && manifest) serve(container, worker, manifest)
