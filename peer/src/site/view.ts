/** Where something that the service worker asks for is seen. */
export interface View {
  /** Milliseconds until scrolling as it is brings it into view; 0: it is seen, or nobody knows where it is. */
  dueMs(url: string): number
  /** Milliseconds that what plays has in store; 0: it waits, or nothing plays. */
  slackMs(): number
}

/** Scrolling is reckoned by what was seen of it in so many milliseconds. */
const SAMPLE_MS = 150
/** Pixels in a millisecond: whoever has begun to scroll may go on faster. */
const LEAST_SPEED = 0.6
/** From the last movement on, nobody scrolls any more. */
const REST_MS = 250
/** Where images are is looked at no more often. */
const LOOK_MS = 30

export function watchView(): View {
  /** Positions, and when: the last few. */
  let positions: { readonly at: number; readonly y: number }[] = []
  const now = (): number => performance.now()
  addEventListener(
    'scroll',
    () => {
      positions = [...positions.filter(({ at }) => now() - at < SAMPLE_MS), { at: now(), y: scrollY }]
    },
    { passive: true, capture: true }
  )
  /** Pixels in a millisecond, downwards. */
  const speed = (): number => {
    const [first, last] = [positions[0], positions.at(-1)]
    if (!first || !last || now() - last.at > REST_MS) return 0
    return last.at > first.at ? (last.y - first.y) / (last.at - first.at) : 0
  }
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
  return {
    dueMs: url => {
      const away = distance(url)
      const moving = speed()
      if (away === 0) return 0
      if (moving === 0) return Infinity
      const towards = away > 0 ? moving : -moving
      return towards > 0 ? Math.abs(away) / Math.max(LEAST_SPEED, towards) : Infinity
    },
    slackMs: () => {
      const playing = [...document.querySelectorAll<HTMLMediaElement>('audio,video')].filter(isBegun)
      return playing.length > 0 ? Math.min(...playing.map(aheadOf)) : 0
    }
  }
}

/**
 * By address, pixels between the viewport and the nearest image that has it. One without a box may be shown anywhere: 0. One that
 * is not there yet often has a place, and no size.
 */
function placesNow(): Map<string, number> {
  const places = new Map<string, number>()
  for (const image of document.images) {
    const { top = 0, bottom = 0 } = image.getClientRects()[0] ?? {}
    const away = top >= innerHeight ? top - innerHeight + 1 : Math.min(0, bottom)
    const url = image.currentSrc || image.src
    if (Math.abs(away) < Math.abs(places.get(url) ?? Infinity)) places.set(url, away)
  }
  return places
}

function isBegun({ ended, networkState, readyState }: HTMLMediaElement): boolean {
  return !ended && (readyState > 0 || networkState === 2)
}

function aheadOf({ buffered, currentTime, playbackRate, readyState }: HTMLMediaElement): number {
  if (readyState < 3) return 0
  for (let i = 0; i < buffered.length; i++)
    if (buffered.start(i) <= currentTime && currentTime <= buffered.end(i))
      return (1_000 * (buffered.end(i) - currentTime)) / Math.max(1, playbackRate)
  return 0
}
