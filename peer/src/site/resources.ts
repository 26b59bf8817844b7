/** Something that a page has fetched. */
export interface Resource {
  readonly url: string
  /** Bytes that came over the network; 0: the browser had it. */
  readonly bytes: number
  /** Bytes that it has. */
  readonly length: number
  /** It came through a service worker, which tells itself where it came from. */
  readonly isOurs: boolean
}

/** After the page has what it shows first, and when the browser has nothing better to do. */
const PAUSE_MS = 1_500
/** Of one page. */
const MAX_SEEN = 1_000
const idle = (): Promise<unknown> =>
  new Promise(resolve => (globalThis.requestIdleCallback ?? setTimeout)(resolve))

/** Calls `then` for each resource that a page has fetched and fetches, one after the other. */
export function watchResources(then: (resource: Resource) => Promise<unknown>): void {
  const seen = new Set<string>()
  let queue: Promise<unknown> = new Promise(resolve => setTimeout(resolve, PAUSE_MS))
  const take = (list: PerformanceEntryList): void => {
    for (const {
      name: url,
      transferSize,
      decodedBodySize,
      workerStart
    } of list as PerformanceResourceTiming[]) {
      if (seen.has(url) || seen.size >= MAX_SEEN || !url.startsWith('http')) continue
      seen.add(url)
      queue = queue
        .then(idle)
        .then(() => then({ url, bytes: transferSize, length: decodedBodySize, isOurs: workerStart > 0 }))
        .catch(() => {})
    }
  }
  new PerformanceObserver(list => take(list.getEntries())).observe({ type: 'resource', buffered: true })
}
