import { dueMsOf, speedOf, withPosition, type Position } from '../core/scrolling.js'

/** Where something that the service worker asks for is seen. */
export interface View {
  /** Milliseconds until scrolling as it is brings it into view; 0: it is seen, or nobody knows where it is. */
  dueMs(url: string): number
  /** Milliseconds that what plays has in store; 0: it waits, or nothing plays. */
  slackMs(): number
}

/** Where images are is looked at no more often. */
const LOOK_MS = 30
/** Segments seldom begin at 0, or just where the one before ends: what can play goes on over a hole shorter than this. */
const HOLE_S = 1

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
  let places: Place[] = []
  let lookedAt = -Infinity
  const nearest = (url: string): number | undefined => {
    const shown = places.filter(({ mayShow }) => mayShow(url)).map(({ away }) => away)
    return shown.sort((a, b) => Math.abs(a) - Math.abs(b))[0]
  }
  /** Pixels between the viewport and the nearest place that shows it: below, or above (negative). */
  const distance = (url: string): number => {
    const known = now() - lookedAt > LOOK_MS ? undefined : nearest(url)
    if (known !== undefined) return known
    places = Array.from(document.images, placeOf)
    lookedAt = now()
    return nearest(url) ?? 0
  }
  return {
    dueMs: url => dueMsOf(distance(url), speedOf(positions, now())),
    slackMs: () => {
      const playing = [...document.querySelectorAll<HTMLMediaElement>('audio,video')].filter(isBegun)
      return playing.length > 0 ? Math.min(...playing.map(aheadOf)) : 0
    }
  }
}

interface Place {
  /** Pixels from the viewport. */
  readonly away: number
  readonly mayShow: (url: string) => boolean
}

/** Where an image is. One without a box may be shown anywhere: 0. One that is not there yet often has a place, and no size. */
function placeOf(image: HTMLImageElement): Place {
  const { top = 0, bottom = 0 } = image.getClientRects()[0] ?? {}
  const { currentSrc, src, srcset } = image
  const away = top >= innerHeight ? top - innerHeight + 1 : Math.min(0, bottom)
  // Which of several addresses a browser has chosen it tells when the first bytes are there.
  const listed = (): string =>
    [
      srcset,
      ...Array.from(image.closest('picture')?.children ?? [], one => (one as HTMLSourceElement).srcset)
    ].join()
  const mayShow = (url: string): boolean =>
    currentSrc ? url === currentSrc : url === src || listed().includes(url.slice(url.lastIndexOf('/') + 1))
  return { away, mayShow }
}

function isBegun({ ended, networkState, readyState }: HTMLMediaElement): boolean {
  return !ended && (readyState > 0 || networkState === 2)
}

function aheadOf({ buffered, currentTime, playbackRate, readyState }: HTMLMediaElement): number {
  if (readyState < 3) return 0
  for (let i = 0; i < buffered.length; i++)
    if (buffered.start(i) - HOLE_S < currentTime && currentTime < buffered.end(i))
      return (1_000 * (buffered.end(i) - currentTime)) / Math.max(1, playbackRate)
  return 0
}
