import { type BlockMap, MAX_CELLS } from '../block-map.js'
import { make } from '../element.js'

/** Colours for senders, `--peer-0` and so on in the style sheet. */
export const PEER_COLOURS = 8

/** The number of the site's own web server, `--origin` in the style sheet: beyond those of all peers. */
export const ORIGIN_SENDER = 0x7fff

/** CSS pixels of a cell with the gap after it: large for few blocks, still distinct for many. */
const MAX_PITCH = 22
const MIN_PITCH = 10
const GAP = 2

/** Draws a `BlockMap` as squares, row by row. */
export class BlockCanvas {
  readonly element = make('canvas', { class: 'blocks', role: 'img', 'aria-label': 'Blocks' })
  #map: BlockMap | undefined
  #planned = false

  constructor() {
    this.element.hidden = true
    new ResizeObserver(() => this.plan()).observe(this.element)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.plan())
  }

  /** Draws this map from now on. */
  use(map: BlockMap): void {
    this.#map = map
    this.element.hidden = map.cellCount === 0
    this.plan()
  }

  /** Draws with the next frame; a hidden page draws when it is seen again. */
  plan(): void {
    if (this.#planned) return
    this.#planned = true
    requestAnimationFrame(() => {
      this.#planned = false
      this.#draw()
    })
  }

  #draw(): void {
    const map = this.#map
    const width = this.element.clientWidth
    const context = this.element.getContext('2d')
    if (map === undefined || width === 0 || context === null || map.cellCount === 0) return
    const pitch = Math.max(
      MIN_PITCH,
      Math.min(MAX_PITCH, Math.floor((width * 8) / Math.min(MAX_CELLS, map.cellCount)))
    )
    const columns = Math.max(1, Math.floor((width + GAP) / pitch))
    const height = Math.ceil(map.cellCount / columns) * pitch - GAP
    const scale = devicePixelRatio
    this.element.style.height = `${height}px`
    this.element.width = Math.round(width * scale)
    this.element.height = Math.round(height * scale)
    context.scale(scale, scale)
    const style = getComputedStyle(this.element)
    const empty = style.getPropertyValue('--cell')
    const origin = style.getPropertyValue('--origin')
    const colours = Array.from({ length: PEER_COLOURS }, (_, index) =>
      style.getPropertyValue(`--peer-${index}`)
    )
    for (let index = 0; index < map.cellCount; index++) {
      const { part, sender } = map.cell(index)
      const place = [
        (index % columns) * pitch,
        Math.floor(index / columns) * pitch,
        pitch - GAP,
        pitch - GAP
      ] as const
      context.globalAlpha = 1
      context.fillStyle = empty
      square(context, place)
      if (sender === undefined) continue
      context.globalAlpha = 0.35 + 0.65 * part
      context.fillStyle = (sender === ORIGIN_SENDER ? origin : colours[sender % PEER_COLOURS]) ?? empty
      square(context, place)
    }
  }
}

function square(context: CanvasRenderingContext2D, place: readonly [number, number, number, number]): void {
  context.beginPath()
  context.roundRect(...place, 2)
  context.fill()
}
