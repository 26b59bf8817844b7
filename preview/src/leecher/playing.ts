import { type Showing, FIRST_BYTES, showingOf } from '../content-type.js'
import { make, write } from '../element.js'
import { timeText } from '../figure.js'
import { type ContentServer, type Download } from '../library.js'
import { nameFor } from '../file-name.js'
import type { SharedFile } from '../share-link.js'

/** Shorter contents are there before a player could begin. */
const MIN_BYTES = 256 * 1024

/** A song, a film or a picture that is shown while it is being fetched, or why it is not. */
export type Playing =
  | { readonly view: HTMLElement }
  /** A sentence for the visitor. */
  | { readonly later: string }

/** Shows a content while it is being fetched. Undefined where there is nothing to show, or it is there at once. */
export async function playingOf(
  download: Download,
  file: SharedFile,
  server: Promise<ContentServer>
): Promise<Playing | undefined> {
  if ((await download.knownLength()) < MIN_BYTES) return undefined
  const first = await firstBytesOf(download)
  if (download.progress.state === 'complete') return undefined
  const showing = showingOf(first, file.type, file.name)
  if (showing === undefined || showing.kind === 'text') return undefined
  const serving = await server
  const what = showing.kind === 'image' ? 'is shown' : 'plays'
  if (!serving.available) return { later: `It ${what} when all of it has arrived: ${serving.reason}.` }
  const name = file.name === '' ? nameFor(file.fullHash, '') : file.name
  const view = mediaView(showing.kind, serving.urlOf(download, { type: showing.type, name }), name)
  const note = make('p', { class: 'hint playable' })
  const frame = make('div', { class: `shown ${showing.kind}` }, view, note)
  if (view instanceof HTMLMediaElement) {
    view.preload = 'auto'
    follow(view, note, download)
  }
  view.addEventListener('error', () => {
    view.remove()
    write(note, 'This browser cannot show it. Save it to open it in another program.')
  })
  return { view: frame }
}

/** Enough of the beginning to tell what it is. */
export async function firstBytesOf(download: Download, count = FIRST_BYTES): Promise<Uint8Array> {
  const all = new Uint8Array(count)
  let length = 0
  const reader = download.stream({ start: 0, end: count }).getReader()
  for (;;) {
    const { value } = await reader.read()
    if (value === undefined) return all.subarray(0, length)
    all.set(value, length)
    length += value.length
  }
}

/** An element that shows what is at an address. */
export function mediaView(kind: Showing['kind'], src: string, name: string): HTMLElement {
  if (kind === 'image') return make('img', { src, alt: name })
  const attributes = { src, controls: '', preload: 'metadata', 'aria-label': name }
  return kind === 'audio' ? make('audio', attributes) : make('video', { ...attributes, playsinline: '' })
}

/** Says up to where it can be played from where it is. */
function follow(media: HTMLMediaElement, note: HTMLElement, download: Download): void {
  const show = (): void => {
    const { buffered, currentTime, duration } = media
    if (!Number.isFinite(duration)) return
    let until = currentTime
    for (let index = 0; index < buffered.length; index++) {
      if (buffered.start(index) <= currentTime + 0.1) until = Math.max(until, buffered.end(index))
    }
    const all = until >= duration - 0.1 || download.progress.state === 'complete'
    write(
      note,
      all ? '' : `Ready to play from ${timeText(currentTime)} to ${timeText(until)} of ${timeText(duration)}`
    )
  }
  for (const type of ['progress', 'timeupdate', 'seeked', 'loadedmetadata'])
    media.addEventListener(type, show)
  download.addEventListener('complete', show)
}
