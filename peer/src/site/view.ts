import { dueMsOf, speedOf, withPosition, type Position } from '../core/scrolling.js'

/** Where something that the service worker asks for is seen. */
export interface View {
  /** Milliseconds until scrolling as it is brings it into view; 0: it is seen, or nobody knows where it is. */
  dueMs(url: string): number
}

/** Where images are is looked at no more often. */
const LOOK_MS = 30

export function watchView(): View {
  let positions: Position[] = []
  const now = (): number => performance.now()
  addEventListener(
    'scroll',
    ({ target: scroller }) => {
      // Many an application scrolls a part of its page.
      const y = (scroller as Partial<Element>).scrollTop ?? scrollY
      positions = withPosition(positions, { at: now(), y, scroller })
    },
    { passive: true, capture: true }
  )
  let places = new Map<string, number>()
  let lookedAt = -Infinity
  /** Pixels between the viewport and the nearest place that shows it: below, or above (negative). */
  const distance = (url: string): number => {
    if (now() - lookedAt > LOOK_MS || !places.has(url)) {
      places = placesNow()
      lookedAt = now()
    }
    return places.get(url) ?? 0
  }
  return { dueMs: url => dueMsOf(distance(url), speedOf(positions, now())) }
}

/** By address, pixels between the viewport and the nearest image that has it; 0 for what has no box: it may be shown anywhere. */
function placesNow(): Map<string, number> {
  const places = new Map<string, number>()
  for (const image of document.images) {
    const { top, bottom, width, height } = image.getBoundingClientRect()
    const below = top >= innerHeight ? top - innerHeight + 1 : Math.min(0, bottom)
    const away = width + height === 0 ? 0 : below
    const url = image.currentSrc || image.src
    if (Math.abs(away) < Math.abs(places.get(url) ?? Infinity)) places.set(url, away)
  }
  return places
}
