/** When scrolling as it is brings something into view: reckoned from positions that were seen a moment ago. */

/** Where something that scrolls was. */
export interface Position {
  /** Milliseconds. */
  readonly at: number
  /** Pixels from its top. */
  readonly y: number
  /** The page or a part of it; what one is away from the viewport, only its own scrolling changes. */
  readonly scroller?: unknown
}

/** Scrolling is reckoned by what was seen of it in so many milliseconds. */
const SAMPLE_MS = 150
/** Pixels in a millisecond: whoever has begun to scroll may go on faster. */
const LEAST_SPEED = 0.6
/** From the last movement on, nobody scrolls any more. */
const REST_MS = 250

/** The last few positions, with one more. */
export function withPosition(positions: readonly Position[], last: Position): Position[] {
  const recent = positions.filter(
    ({ at, scroller }) => last.at - at < SAMPLE_MS && scroller === last.scroller
  )
  return [...recent, last]
}

/** Pixels in a millisecond, downwards; 0: nobody scrolls. */
export function speedOf(positions: readonly Position[], now: number): number {
  const [first, last] = [positions[0], positions.at(-1)]
  if (!first || !last || now - last.at > REST_MS) return 0
  return last.at > first.at ? (last.y - first.y) / (last.at - first.at) : 0
}

/** Milliseconds until what is so many pixels below the viewport, or above it (negative), comes into view; 0: it is in view. */
export function dueMsOf(away: number, speed: number): number {
  const towards = away > 0 ? speed : -speed
  if (away === 0) return 0
  return towards > 0 ? Math.abs(away) / Math.max(LEAST_SPEED, towards) : Infinity
}
