import { dispositionName } from '../core/content-disposition.js'
import type { PartsHost } from './parts.js'
import type { Requests } from './requests.js'
import { nameOf, type NamedFile, type SiteFiles } from './site-files.js'

/** Longer ones are left to the browser, which shows how far it is, and goes on when the page is left. No more is kept. */
const MAX_DOWNLOAD = 67_108_864
/** So long the site has to say what the file is called. */
const NAME_MS = 1_500
/** A file is saved by then. */
const RELEASE_MS = 60_000

/**
 * Answers clicks on `<a download data-mayfly>`: the file is saved as the browser would have. Its link has `progress` events
 * meanwhile. Whatever stands in the way, and when the page is left, the browser downloads it as if we were not there.
 */
export function takeDownloads(
  host: Pick<PartsHost, 'obstacles'>,
  files: SiteFiles,
  requests: Pick<Requests, 'answer'>
): void {
  /** What stops each. */
  const running = new Map<HTMLAnchorElement, AbortController>()

  const linkOf = ({ target }: Event): HTMLAnchorElement | null | undefined =>
    (target as Partial<Element> | null)?.closest?.<HTMLAnchorElement>('a[download][data-mayfly]')
  /** As the manifest is believed now. */
  const fileOf = ({ href, origin, target, dataset }: HTMLAnchorElement): NamedFile | undefined => {
    const manifest = files.current()
    const { fetch, upload } = host.obstacles()
    const isOurs = origin === location.origin && /^(_self)?$/.test(target)
    if (!manifest || !isOurs || (fetch && fetch !== 'weight' && upload)) return undefined
    const { file } = nameOf(href, { fullHash: dataset['mayfly'] }, manifest, document.baseURI)
    return file && file.length <= MAX_DOWNLOAD ? file : undefined
  }
  const take = async (link: HTMLAnchorElement, file: NamedFile, signal: AbortSignal): Promise<void> => {
    const [name, response] = await Promise.all([nameOfFile(link), requests.answer(file, undefined, signal)])
    if (!response?.body) throw new TypeError()
    const parts: Blob[] = []
    let loaded = 0
    const reader = response.body.getReader()
    signal.addEventListener('abort', () => void reader.cancel())
    for (;;) {
      const { done, value } = await reader.read()
      signal.throwIfAborted()
      if (done) break
      parts.push(new Blob([value]))
      loaded += value.length
      link.dispatchEvent(
        new ProgressEvent('progress', { lengthComputable: true, loaded, total: file.length, bubbles: true })
      )
    }
    const address = URL.createObjectURL(new Blob(parts, { type: file.type }))
    setTimeout(() => URL.revokeObjectURL(address), RELEASE_MS)
    save(name, address)
  }

  addEventListener('click', event => {
    const { button, altKey, ctrlKey, metaKey, shiftKey, defaultPrevented } = event
    const link = linkOf(event)
    if (!link || defaultPrevented || button || altKey || ctrlKey || metaKey || shiftKey) return
    const file = fileOf(link)
    if (!file) return
    event.preventDefault()
    if (running.has(link)) return
    const aborter = new AbortController()
    running.set(link, aborter)
    void take(link, file, aborter.signal)
      .catch(() => aborter.signal.aborted || save(nameOfLink(link), link.href))
      .finally(() => {
        running.delete(link)
        aborter.abort()
      })
  })
  // The page is left: the browser goes on, where the site answers before the next page does.
  addEventListener('beforeunload', () => {
    for (const [link, aborter] of running) {
      aborter.abort()
      save(nameOfLink(link), link.href)
    }
  })
  // What is clicked on may have been switched off since.
  for (const type of ['pointerover', 'focusin'])
    addEventListener(type, event => {
      const link = linkOf(event)
      if (link) void files.look(link.href)
    })
  void files.look()
}

/** Nobody but the browser hears this click. */
function save(name: string, href: string): void {
  const link = document.createElement('a')
  link.href = href
  link.download = name
  link.click()
}

/** As the server says, before what the link says. Rejects where only the browser can know, and where the server does not say it in time. */
async function nameOfFile(link: HTMLAnchorElement): Promise<string> {
  const { ok, redirected, headers } = await fetch(link.href, {
    method: 'HEAD',
    signal: AbortSignal.timeout(NAME_MS)
  })
  const name = dispositionName(headers.get('content-disposition') ?? 'inline')
  if (!ok || redirected || name === undefined) throw new TypeError()
  return name || nameOfLink(link)
}

function nameOfLink({ download, pathname }: HTMLAnchorElement): string {
  const name = pathname.slice(pathname.lastIndexOf('/') + 1)
  try {
    return download || decodeURIComponent(name)
  } catch {
    return name
  }
}
