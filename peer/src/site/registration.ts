import type { PageMessage } from './worker/talk.js'
import type { PartsHost } from './parts.js'

/** The service worker of a page, as far as it is the tag's. */
export interface Registration {
  /** Registers it, where none of the site's own stands in the way. `page` is told where it is refused. Never rejects. */
  begin(): Promise<void>
  /** Others are there: it takes the page over when it is ready. Who is alone has it from the next page on. */
  claim(): Promise<void>
}

export function openRegistration(page: PartsHost): Registration {
  const { container, data, trusted } = page
  const { worker, manifest } = data

  const register = async (workers: ServiceWorkerContainer): Promise<void> => {
    const url = new URL(worker!, document.baseURI)
    url.searchParams.set('manifest', new URL(manifest!, document.baseURI).href)
    const { active, waiting, installing } = (await workers.getRegistration()) ?? {}
    // A site's own service worker stays, or comes.
    const known = (installing ?? waiting ?? active)?.scriptURL ?? 'mayfly'
    // The whole library has it serve too.
    if (/[?&]serve/.test(known)) url.searchParams.set('serve', '')
    if (/mayfly/.test(known) && !page.refused) await workers.register(trusted(url.href))
  }
  return {
    begin: async () => {
      // Where it fails, the page is whole without it.
      if (container && worker && manifest) await register(container).catch(() => (page.refused = true))
    },
    claim: async () => {
      const claim: PageMessage = 'claim'
      if (!container || container.controller || page.refused) return
      const { active } = await container.ready
      // oxlint-disable-next-line require-post-message-target-origin -- a worker has none
      active?.postMessage({ mayfly: claim })
    }
  }
}
