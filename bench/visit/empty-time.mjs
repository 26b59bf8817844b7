// Also runs in pages, as its text without the word `export` (watch.mjs), and so imports nothing.

/** No picture that a visitor came for is smaller, in CSS pixels: what is, is a stand-in. */
const LEAST_WIDTH = 16

/**
 * Whether a picture shows nothing of what the site means it to show: it has not arrived, it is broken, or something stands in for it.
 *
 * @param {{ complete: boolean, naturalWidth: number, currentSrc: string }} image
 */
export function isEmpty({ complete, naturalWidth, currentSrc }) {
  return !complete || naturalWidth < LEAST_WIDTH || currentSrc.startsWith('data:')
}

/**
 * Whether at least one pixel of a box is in a viewport of this size, in both directions.
 *
 * @param {{ left: number, right: number, top: number, bottom: number }} box
 * @param {{ width: number, height: number }} viewport
 */
export function isInView({ left, right, top, bottom }, { width, height }) {
  const wide = Math.min(right, width) - Math.max(left, 0)
  const high = Math.min(bottom, height) - Math.max(top, 0)
  return wide >= 1 && high >= 1
}

/** For each picture that was ever in the viewport, how long its place was there and empty, in milliseconds. */
export class EmptyTime {
  #spent = new Map()
  #empty = new Set()
  #at = 0

  /**
   * A frame at a time of a clock in milliseconds. What was in the viewport and empty in the frame before was so until now.
   *
   * @param {number} at
   * @param {Iterable<readonly [unknown, boolean]>} inView the pictures that are in the viewport, and whether each is empty
   */
  frame(at, inView) {
    for (const picture of this.#empty) this.#spent.set(picture, this.#spent.get(picture) + at - this.#at)
    this.#empty.clear()
    this.#at = at
    for (const [picture, isEmptyNow] of inView) {
      if (!this.#spent.has(picture)) this.#spent.set(picture, 0)
      if (isEmptyNow) this.#empty.add(picture)
    }
  }

  /** How many are in the viewport and empty since the last frame. */
  get emptyNow() {
    return this.#empty.size
  }

  /** The times of all pictures that were in the viewport so far. */
  times() {
    return [...this.#spent.values()]
  }
}
