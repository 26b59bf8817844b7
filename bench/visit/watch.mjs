import { readFileSync } from 'node:fs'

/** What a page needs to count empty time, as a script that defines the names of empty-time.mjs. */
export const EMPTY_TIME = readFileSync(new URL('empty-time.mjs', import.meta.url), 'utf8').replaceAll(
  /^export /gm,
  ''
)

/**
 * A script that runs in a page before anything else of it, whatever the page has: watches it from outside of what it measures, and
 * scrolls it. Defines `watched` there: `scroll(pixelsPerSecond)` settles when the end of the page is reached (`Infinity`: at once),
 * `settled(most)` when nothing in the viewport is empty, or after so many milliseconds, and `tell()` gives what was seen.
 */
export const WATCH = `(() => { ${EMPTY_TIME}; (${watch.toString()})(EmptyTime, isEmpty, isInView) })()`

/** Runs in the page. */
function watch(EmptyTime, isEmpty, isInView) {
  // Of frames inside of the page nothing is measured.
  if (globalThis.top !== globalThis) return
  const seen = { paint: 0, blocked: 0, shift: 0 }
  const empty = new EmptyTime()
  const waiting = new Set()
  let step

  observe('largest-contentful-paint', ({ element, startTime }) => {
    // What scrolling brings into view is no part of the first impression.
    const isFirst = element === null || element.getBoundingClientRect().top + scrollY < innerHeight
    if (isFirst) seen.paint = startTime
  })
  observe('longtask', ({ duration }) => (seen.blocked += duration - 50))
  observe('layout-shift', ({ value, hadRecentInput }) => (seen.shift += hadRecentInput ? 0 : value))
  requestAnimationFrame(frame)

  function observe(type, see) {
    new PerformanceObserver(list => list.getEntries().forEach(see)).observe({ type, buffered: true })
  }

  function frame() {
    requestAnimationFrame(frame)
    const now = performance.now()
    step?.(now)
    const viewport = { width: innerWidth, height: innerHeight }
    const inView = [...document.images].filter(image => isInView(image.getBoundingClientRect(), viewport))
    empty.frame(
      now,
      inView.map(image => [image, isEmpty(image)])
    )
    for (const look of waiting) look(now)
  }

  function scroll(pixelsPerSecond) {
    return new Promise(resolve => {
      const [from, began] = [scrollY, performance.now()]
      step = now => {
        const end = document.documentElement.scrollHeight - innerHeight
        const wanted = pixelsPerSecond === Infinity ? end : from + ((now - began) / 1_000) * pixelsPerSecond
        scrollTo({ top: Math.min(wanted, end), behavior: 'instant' })
        if (wanted < end) return
        step = undefined
        resolve()
      }
    })
  }

  function settled(most) {
    const until = performance.now() + most
    return new Promise(resolve => {
      const look = now => {
        if (empty.emptyNow > 0 && now < until) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
    })
  }

  function tell() {
    const [{ loadEventEnd }] = performance.getEntriesByType('navigation')
    return { ...seen, load: loadEventEnd, empty: empty.times(), leftEmpty: empty.emptyNow }
  }

  globalThis.watched = { scroll, settled, tell }
}
