import { within } from './deadline.js'
import type { PartsHost } from './parts.js'
import type { PageMessage } from './worker/talk.js'

/** The service worker of a page, as far as it is the tag's. */
export interface Registration {
  /**
   * Registers it, where none of the site's own stands in the way. `page` is told where it is refused, and where the site's own has
   * not imported it. Settles when that is known of what is there or on its way. Never rejects.
   */
  begin(): Promise<unknown>
  /** Others are there: it takes the page over when it is ready. Who is alone has it from the next page on. */
  claim(): Promise<void>
}

/** A worker of the site's own has so long to start, and to say that it has imported ours. */
const IMPORTED_MS = 1_000

export function openRegistration(page: PartsHost): Registration {
  const { container, data, trusted } = page
  const { worker, manifest } = data
  let isOwn: boolean | undefined

  /** Gives the worker that comes next. One of the site's own that has not imported ours hands nothing on. */
  const look = async (at: ServiceWorkerRegistration | undefined): Promise<ServiceWorker | undefined> => {
    const all = [at?.installing, at?.waiting, at?.active].filter(one => !!one)
    const own = all.find(({ scriptURL }) => !/mayfly/.test(scriptURL))
    isOwn = !!own
    if (own && !(await within(IMPORTED_MS, answered(own)))) page.refused = true
    return all[0]
  }
  const register = async (workers: ServiceWorkerContainer): Promise<unknown> => {
    const url = new URL(worker!, document.baseURI)
    url.searchParams.set('manifest', new URL(manifest!, document.baseURI).href)
    const at = await workers.getRegistration()
    const next = await look(at)
    // A site's own service worker stays, or comes.
    if (isOwn || page.refused) return undefined
    // The whole library has it serve too.
    if (next && /[?&]serve/.test(next.scriptURL)) url.searchParams.set('serve', '')
    const registering = workers.register(trusted(url.href)).then(look).catch(refuse)
    // What is being fetched may be the site's own: it comes before ours.
    return at && !next && registering
  }
  // Where it fails, the page is whole without it.
  const refuse = (): unknown => (page.refused = true)
  return {
    begin: async () => container && worker && manifest && register(container).catch(refuse),
    claim: async () => {
      const claim: PageMessage = 'claim'
      if (!container || container.controller || isOwn || page.refused) return
      const { active } = await container.ready
      // oxlint-disable-next-line require-post-message-target-origin -- a worker has none
      active?.postMessage({ mayfly: claim })
    }
  }
}

/** Settles when a worker says that it is ours, or has imported it. */
function answered(worker: ServiceWorker): Promise<unknown> {
  const { port1, port2 } = new MessageChannel()
  const ask: PageMessage = 'ours'
  worker.postMessage({ mayfly: ask }, [port2])
  return new Promise(resolve => (port1.onmessage = resolve))
}
