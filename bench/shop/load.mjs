import { setTimeout as sleep } from 'node:timers/promises'

const LOAD_MS = 60_000
export const VIEWPORT = { width: 1280, height: 860 }

/**
 * One load of a page by a visitor whose cache is empty, watched for `settleMs` after its load event: what is still under way then counts.
 * Gives in milliseconds its `load`, the largest contentful `paint`, how long its main
 * thread was `blocked`, and when the last picture was there (`pictures`); in bytes what came `fromPeers`, the pictures `fromSite`, and
 * `site`, all that it got from there with its headers; and how many pictures it has `shown`. Throws with the first error of the page.
 */
export async function loadOnce(browser, url, settleMs) {
  const context = await browser.newContext({ viewport: VIEWPORT })
  try {
    const page = await context.newPage()
    const failures = []
    page.on('pageerror', error => failures.push(error.message))
    await page.addInitScript(watch)
    await page.goto(url, { waitUntil: 'load', timeout: LOAD_MS })
    await sleep(settleMs)
    const seen = await page.evaluate(tell)
    if (failures.length > 0) throw new Error(`the page: ${failures[0]}`)
    return seen
  } finally {
    await context.close()
  }
}

/** Runs in the page, before anything else. */
function watch() {
  const seen = { paint: 0, blocked: 0, pictures: 0 }
  globalThis.seen = seen
  new PerformanceObserver(list => {
    for (const { startTime } of list.getEntries()) seen.paint = startTime
  }).observe({ type: 'largest-contentful-paint', buffered: true })
  new PerformanceObserver(list => {
    for (const { duration } of list.getEntries()) seen.blocked += duration - 50
  }).observe({ type: 'longtask', buffered: true })
  document.addEventListener(
    'load',
    ({ target }) => {
      if (target instanceof HTMLImageElement) seen.pictures = performance.now()
    },
    { capture: true }
  )
}

/** Runs in the page, at the end. Mayfly tells of each object by an entry, the page on WebTorrent by a function of its own. */
function tell() {
  const sum = numbers => numbers.reduce((all, number) => all + number, 0)
  const [navigation] = performance.getEntriesByType('navigation')
  const resources = performance.getEntriesByType('resource')
  const pictures = resources.filter(({ name }) => /\/assets\/pots\//.test(name))
  const measures = performance.getEntriesByName('mayfly').map(({ detail }) => detail)
  const byMayfly = sum(measures.map(({ source, bytes = 0 }) => (source === 'peer' ? bytes : 0)))
  return {
    load: navigation.loadEventEnd,
    ...globalThis.seen,
    shown: [...document.images].filter(({ complete, naturalWidth }) => complete && naturalWidth > 0).length,
    fromPeers: globalThis.fromPeers?.() ?? byMayfly,
    fromSite: sum(pictures.map(({ transferSize }) => transferSize)),
    site: sum([navigation, ...resources].map(({ transferSize }) => transferSize))
  }
}
