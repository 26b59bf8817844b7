/**
 * The page's side of the service worker, `mayfly-client.js`: registers it, answers its questions with the page's session, and
 * tells where what it answered came from.
 */
import type { ClientPart } from './parts.js'
import type { Acknowledged, Answer, PageMessage, WorkerMessage } from './worker/talk.js'

let isStarted = false

const part: ClientPart = ({ worker, manifest }, { opened, shown, patienceMs, measure }) => {
  // None in a page that did not come over https, and in some private windows.
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined
  if (!container || !worker || !manifest || isStarted) return
  isStarted = true
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
  const show = (came: NonNullable<WorkerMessage['came']>): void => {
    const sources = new Map(came.map(one => [one.url, one.source]))
    came.forEach(measure)
    for (const element of document.querySelectorAll<HTMLImageElement>('img,[src],link')) {
      const source = sources.get(
        element.currentSrc || element.src || (element as { href?: string }).href || ''
      )
      if (source) element.dataset['mayflySource'] = source
    }
  }
  const answer = async (ask: NonNullable<WorkerMessage['ask']>, port: MessagePort): Promise<void> => {
    const reply = (message: Acknowledged | Answer): void => port.postMessage(message)
    // Contents that are streamed have a range: they come from the network as long as no part streams them.
    const session = isShown && !ask.range ? await opened() : undefined
    reply(session !== undefined)
    // Without a URL only other visitors are asked: the worker knows the network itself.
    if (session)
      reply(await session.bring({ ...ask, url: '', patienceMs: patienceMs() }).catch(() => undefined))
  }
  const hear = async ({ data, ports: [port] }: MessageEvent<unknown>): Promise<void> => {
    const { ask, keep, came } = ((data as { mayfly?: WorkerMessage } | null)?.mayfly ?? {}) as WorkerMessage
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
    if (await opened()) hello = 'shown'
    say()
  })
  // Where it fails, the page is whole without it.
  const whenIdle = (): unknown =>
    (globalThis.requestIdleCallback ?? setTimeout)(() => void register().catch(() => {}))
  if (document.readyState === 'complete') whenIdle()
  else addEventListener('load', whenIdle)
}

const { mayfly } = globalThis as unknown as { mayfly: { parts: Record<string, unknown> } }
mayfly.parts['client'] = part
