import { type Showing, extensionOf, showingOf, textOf } from '../content-type.js'
import { make } from '../element.js'
import { bytesText } from '../figure.js'
import { nameFor } from '../file-name.js'
import type { ContentServer, Download } from '../library.js'
import type { SharedFile } from '../share-link.js'
import { firstBytesOf, mediaView } from './playing.js'

/** Bytes of a text that are shown; a page with more of it becomes slow. */
const MAX_TEXT_BYTES = 256 * 1024

/** Longer contents are saved from where they are kept, without a copy of all of it first. */
const MAX_BLOB_BYTES = 64 * 1024 * 1024

type Serving = Extract<ContentServer, { available: true }>

/** A content that is there, ready for the page. */
export interface Arrived {
  /** What is shown in place, or why nothing is. */
  readonly view: HTMLElement
  readonly save: HTMLElement
  /** Whether it is read through the session, and ends with that. */
  readonly served: boolean
}

/**
 * Shows what arrived where that is safe, and offers to save it. The link's type and name decide only against showing.
 * `playing`: how it is shown already.
 */
export async function arrivedOf(
  download: Download,
  file: SharedFile,
  { server, playing }: { readonly server: Promise<ContentServer>; readonly playing: HTMLElement | undefined }
): Promise<Arrived> {
  const length = await download.knownLength()
  const showing = length === 0 ? undefined : showingOf(await firstBytesOf(download), file.type, file.name)
  const name = file.name === '' ? nameFor(file.fullHash, extensionOf(showing?.type ?? '')) : file.name
  const serving = length > MAX_BLOB_BYTES ? await server : undefined
  const large = serving?.available === true ? serving : undefined
  // Opened in a tab of its own, an address of a page would run with the rights of this one: bytes, whatever they are.
  const href = large?.urlOf(download, { type: showing?.type ?? 'application/octet-stream', name, save: true })
  const save =
    href === undefined
      ? await saveBlob(download, name, length)
      : make('a', { class: 'button primary', href }, 'Save')
  save.setAttribute('aria-label', `Save ${name}`)
  const view = playing ?? (await viewOf(download, showing, { name, length, large }))
  return { view, save, served: large !== undefined || playing !== undefined }
}

async function saveBlob(download: Download, name: string, length: number): Promise<HTMLElement> {
  if (length > MAX_BLOB_BYTES && 'showSaveFilePicker' in globalThis) return pickerButton(download, name)
  const save = make('a', { class: 'button primary', download: name }, 'Save')
  save.href = URL.createObjectURL(await download.blob('application/octet-stream'))
  return save
}

/** Asks where to, and writes it there piece by piece. */
function pickerButton(download: Download, name: string): HTMLElement {
  const save = make('button', { class: 'primary', type: 'button' }, 'Save')
  const page = globalThis as unknown as {
    showSaveFilePicker(options: object): Promise<{ createWritable(): Promise<WritableStream<Uint8Array>> }>
  }
  save.addEventListener('click', () => {
    const write = async (): Promise<void> => {
      const file = await page.showSaveFilePicker({ suggestedName: name })
      save.disabled = true
      await download.stream({ start: 0 }).pipeTo(await file.createWritable())
    }
    // The visitor changed their mind, or the disk is full, which the browser says.
    write()
      .catch(() => undefined)
      .finally(() => (save.disabled = false))
  })
  return save
}

async function viewOf(
  download: Download,
  showing: Showing | undefined,
  {
    name,
    length,
    large
  }: { readonly name: string; readonly length: number; readonly large: Serving | undefined }
): Promise<HTMLElement> {
  if (length === 0) return only('This file is empty.')
  if (showing === undefined) return only('This kind of file is not shown here. Save it to open it.')
  if (showing.kind === 'text') return textView(download, name, length)
  const url =
    large?.urlOf(download, { type: showing.type, name }) ??
    URL.createObjectURL(await download.blob(showing.type))
  const view = mediaView(showing.kind, url, name)
  const frame = make('div', { class: `shown ${showing.kind}` }, view)
  view.addEventListener('error', () => {
    URL.revokeObjectURL(url)
    frame.replaceWith(only('This browser cannot show it. Save it to open it in another program.'))
  })
  return frame
}

async function textView(download: Download, name: string, length: number): Promise<HTMLElement> {
  const whole = length <= MAX_TEXT_BYTES
  const text = textOf(await firstBytesOf(download, Math.min(length, MAX_TEXT_BYTES)), whole)
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
