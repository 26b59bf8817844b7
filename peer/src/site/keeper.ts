import { within } from './deadline.js'

/** Nobody waits longer for a browser's cache. */
const READ_MS = 5_000

/** Reads what the browser has fetched itself from its cache; undefined: it is not there any more. Never rejects. */
export type Keeper = (url: string) => Promise<Uint8Array<ArrayBuffer> | undefined>

interface Read {
  readonly url: string
  readonly bytes?: Uint8Array<ArrayBuffer>
}

/**
 * In a dedicated worker, which runs this very script: what a page reads itself takes the place of the picture in the browser's
 * memory, and a copy of an image would not be there at once any more. `address`: the script's, as a policy wants it. `page` is told
 * where its policy refuses the worker.
 */
export function openKeeper(address: string, page: { refused?: boolean }): Keeper {
  const waiting = new Map<string, (bytes: Read['bytes']) => void>()
  let hasFailed = false

  const begin = (): Worker | undefined => {
    try {
      const begun = new Worker(address)
      begun.onmessage = ({ data: { url, bytes } }: MessageEvent<Read>) => {
        waiting.get(url)?.(bytes)
        waiting.delete(url)
      }
      begun.onerror = () => (hasFailed = true)
      // A page with COEP refuses a dedicated worker whose script comes without, and takes a service worker.
      addEventListener('securitypolicyviolation', event => {
        const { disposition, effectiveDirective } = event
        if (disposition !== 'report') page.refused ||= effectiveDirective === 'worker-src'
      })
      return begun
    } catch {
      page.refused = true
      return undefined
    }
  }
  let worker: Worker | undefined
  return async url => {
    if (hasFailed || page.refused || !(worker ??= begin())) return undefined
    // oxlint-disable-next-line require-post-message-target-origin
    worker.postMessage(url)
    const others = waiting.get(url)
    const read = new Promise<Read['bytes']>(resolve =>
      waiting.set(url, bytes => {
        others?.(bytes)
        resolve(bytes)
      })
    )
    return within(READ_MS, read)
  }
}

/** What the worker does. The site is asked for nothing. */
export function keepHere(): void {
  addEventListener('message', ({ data: url }: MessageEvent<string>) => {
    void fetch(url, { cache: 'only-if-cached', mode: 'same-origin' })
      .then(response => (response.ok ? response.arrayBuffer() : undefined))
      .catch(() => undefined)
      .then(buffer => postMessage({ url, ...(buffer && { bytes: new Uint8Array(buffer) }) }))
  })
}
