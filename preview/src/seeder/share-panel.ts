import { button, copyButton, make, write } from '../element.js'
import { countText } from '../figure.js'
import { isLocal } from '../mediator-address.js'
import { type SharedFile, encodeFragment } from '../share-link.js'

/** The one link for all files that can be fetched, and what to know about it. */
export class SharePanel {
  readonly element: HTMLElement
  readonly #title = make('label', { for: 'link' })
  readonly #link = make('input', {
    id: 'link',
    readonly: '',
    spellcheck: 'false',
    'aria-describedby': 'link-note'
  })
  readonly #note = make('p', { class: 'hint', id: 'link-note' })
  readonly #open = make('a', { class: 'button', target: '_blank', rel: 'noopener' }, 'Open')

  constructor(stopAll: () => void) {
    this.#link.addEventListener('focus', () => this.#link.select())
    const copy = copyButton('Copy link', () => this.#link.value, 'Link')
    copy.classList.add('primary')
    const send = button('Send…', () => void navigator.share({ url: this.#link.value }).catch(() => undefined))
    this.element = make(
      'section',
      { class: 'card share', 'aria-label': 'Link', hidden: '' },
      this.#title,
      this.#link,
      make(
        'div',
        { class: 'actions' },
        copy,
        ...('share' in navigator ? [send] : []),
        this.#open,
        button('Stop sharing all', stopAll, { class: 'quiet' })
      ),
      this.#note
    )
  }

  /** Shows the link to these files, of `chosen` in all. Hidden while there is none. */
  show(files: readonly SharedFile[], chosen: number, mediators: readonly string[]): void {
    this.element.hidden = files.length === 0
    const page = new URL('leecher_preview.html', location.href)
    page.hash = ''
    const href = `${page.href}#${encodeFragment({ mediators, files })}`
    if (this.#link.value !== href) this.#link.value = href
    this.#open.href = href
    const waiting = chosen - files.length
    const more = waiting > 0 ? `, ${waiting} more to come` : ''
    write(this.#title, `Link for ${countText(files.length, 'file')}${more}`)
    write(this.#note, noteOf(mediators))
  }
}

/** For whom the link works. */
function noteOf(mediators: readonly string[]): string {
  const always = 'Works while this page is open; it may stay in the background.'
  if (location.protocol === 'file:')
    return `${always} This page is a file on your disk, and the link leads to it.`
  if (mediators.every(isLocal) || isLocal(location.href)) {
    return `${always} It works on this computer only: its address is a local one.`
  }
  return always
}
