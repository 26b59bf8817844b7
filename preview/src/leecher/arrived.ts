import { type Showing, FIRST_BYTES, extensionOf, showingOf, textOf } from '../content-type.js'
import { make } from '../element.js'
import { bytesText } from '../figure.js'
import { nameFor } from '../file-name.js'
import type { SharedFile } from '../share-link.js'

/** Bytes of a text that are shown; a page with more of it becomes slow. */
const MAX_TEXT_BYTES = 256 * 1024

/** A content that is there, ready for the page. */
export interface Arrived {
  /** What is shown in place, or why nothing is. */
  readonly view: HTMLElement
  readonly save: HTMLAnchorElement
}

/** Shows what arrived where that is safe, and offers to save it. The link's type and name decide only against showing. */
export async function arrivedOf(blob: Blob, file: SharedFile): Promise<Arrived> {
  const first = new Uint8Array(await blob.slice(0, FIRST_BYTES).arrayBuffer())
  const showing = blob.size === 0 ? undefined : showingOf(first, file.type, file.name)
  const name = file.name === '' ? nameFor(file.fullHash, extensionOf(showing?.type ?? '')) : file.name
  // Opened in a tab of its own, an address of a page would run with the rights of this one: bytes, whatever they are.
  const save = make('a', { class: 'button primary', download: name }, 'Save')
  save.href = URL.createObjectURL(blob.slice(0, blob.size, 'application/octet-stream'))
  save.setAttribute('aria-label', `Save ${name}`)
  return { view: await viewOf(blob, showing, name), save }
}

async function viewOf(blob: Blob, showing: Showing | undefined, name: string): Promise<HTMLElement> {
  if (blob.size === 0) return only('This file is empty.')
  if (showing === undefined) return only('This kind of file is not shown here. Save it to open it.')
  if (showing.kind === 'text') return textView(blob, name)
  const url = URL.createObjectURL(blob.slice(0, blob.size, showing.type))
  const view = mediaView(showing.kind, url, name)
  const frame = make('div', { class: `shown ${showing.kind}` }, view)
  view.addEventListener('error', () => {
    URL.revokeObjectURL(url)
    frame.replaceWith(only('This browser cannot show it. Save it to open it in another program.'))
  })
  return frame
}

function mediaView(kind: 'image' | 'audio' | 'video', url: string, name: string): HTMLElement {
  if (kind === 'image') return make('img', { src: url, alt: name })
  const attributes = { src: url, controls: '', preload: 'metadata', 'aria-label': name }
  return kind === 'audio' ? make('audio', attributes) : make('video', { ...attributes, playsinline: '' })
}

async function textView(blob: Blob, name: string): Promise<HTMLElement> {
  const whole = blob.size <= MAX_TEXT_BYTES
  const text = textOf(new Uint8Array(await blob.slice(0, MAX_TEXT_BYTES).arrayBuffer()), whole)
  if (text === undefined) return only('This kind of file is not shown here. Save it to open it.')
  const frame = make('div', { class: 'shown text' })
  frame.append(make('pre', { tabindex: '0', role: 'region', 'aria-label': `Text of ${name}` }, text))
  if (!whole)
    frame.append(
      make('p', { class: 'hint' }, `The first ${bytesText(MAX_TEXT_BYTES)}. Save it for the rest.`)
    )
  return frame
}

function only(text: string): HTMLElement {
  return make('p', { class: 'hint unshown' }, text)
}
