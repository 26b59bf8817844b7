import type { Audience, Listener } from '../audience.js'
import { button, copyButton, make, write } from '../element.js'
import { bytesText, percentText, shortId } from '../figure.js'
import { cleanName } from '../file-name.js'
import { type Trouble, troubleOf } from '../trouble.js'

/** Peers of a file that are shown one by one. */
const LISTENERS_SHOWN = 6

/** What a row asks of the page. */
export interface RowActions {
  stop(row: SharedRow): void
  retry(row: SharedRow): void
}

/** One file on the seeder page: reading, shared, or what is wrong with it; and who fetches it. */
export class SharedRow {
  readonly file: File
  readonly name: string
  readonly element: HTMLLIElement
  readonly #bar = make('progress', { max: '1', value: '0' })
  readonly #state = make('p', { class: 'figures' }, 'Waiting to be read')
  readonly #body = make('div', { class: 'body' })
  readonly #listeners = make('ul', { class: 'listeners' })
  readonly #shown = new Map<string, ListenerRow>()
  readonly #actions: RowActions
  #fullHash: string | undefined

  constructor(file: File, actions: RowActions) {
    this.file = file
    this.name = cleanName(file.name)
    this.#actions = actions
    this.#bar.setAttribute('aria-label', `Reading ${this.name}`)
    this.element = make(
      'li',
      { class: 'card file' },
      make(
        'div',
        { class: 'head' },
        make('h3', {}, make('bdi', {}, this.name === '' ? 'Unnamed file' : this.name)),
        make('span', { class: 'size' }, bytesText(file.size)),
        button('Stop', () => actions.stop(this), {
          class: 'quiet',
          'aria-label': `Stop sharing ${this.name}`
        })
      ),
      this.#body
    )
    this.reading(0, 0)
  }

  /** The hash under which the file is shared now. */
  get fullHash(): string | undefined {
    return this.#fullHash
  }

  /** The file waits or is being read: `hashed` of `length` bytes. */
  reading(hashed: number, length: number): void {
    this.#fullHash = undefined
    this.#bar.value = length === 0 ? 0 : hashed / length
    write(this.#state, length === 0 ? 'Waiting to be read' : `Reading… ${percentText(hashed, length)}`)
    if (!this.#bar.isConnected) this.#body.replaceChildren(this.#bar, this.#state)
  }

  /** The file can be fetched. */
  shared(fullHash: string): void {
    this.#fullHash = fullHash
    this.#body.replaceChildren(
      make(
        'div',
        { class: 'hash' },
        make('span', { class: 'label' }, 'Full hash'),
        make('code', {}, fullHash),
        copyButton('Copy', () => fullHash, `Full hash of ${this.name}`)
      ),
      this.#listeners
    )
  }

  /** The file cannot be shared. */
  failed(reason: unknown): void {
    this.#fullHash = undefined
    const trouble: Trouble =
      reason instanceof DOMException
        ? {
            happened: 'This file cannot be read.',
            remedy: 'It may be a folder, or was moved or deleted. Choose it again.',
            retry: true
          }
        : troubleOf(reason)
    const again = button('Try again', () => this.#actions.retry(this))
    this.#body.replaceChildren(
      make(
        'p',
        { class: 'trouble', role: 'alert' },
        make('strong', {}, trouble.happened),
        ' ',
        trouble.remedy
      ),
      ...(trouble.retry ? [again] : [])
    )
  }

  /** Shows who fetches this file. */
  show(audience: Audience): void {
    if (this.#fullHash === undefined) return
    const listeners = audience.of(this.#fullHash, LISTENERS_SHOWN)
    const rows = listeners.map(listener => {
      const row = this.#shown.get(listener.peerId) ?? new ListenerRow(listener)
      row.show(listener)
      return [listener.peerId, row] as const
    })
    this.#shown.clear()
    for (const [peerId, row] of rows) this.#shown.set(peerId, row)
    const wanted = rows.map(([, row]) => row.element)
    if (wanted.some((element, index) => this.#listeners.children[index] !== element)) {
      this.#listeners.replaceChildren(...wanted)
    }
    while (this.#listeners.children.length > wanted.length) this.#listeners.lastElementChild?.remove()
  }
}

/** One peer that fetches or fetched a file. */
class ListenerRow {
  readonly element: HTMLLIElement
  readonly #bar = make('progress', { max: '1' })
  readonly #text = make('span', { class: 'figures' })

  constructor({ peerId }: Listener) {
    this.#bar.setAttribute('aria-label', `Sent to ${shortId(peerId)}`)
    const id = make('span', { class: 'peer', title: `Peer ${peerId}` }, shortId(peerId))
    this.element = make('li', {}, id, this.#bar, this.#text)
  }

  show({ sentBytes, length, active }: Listener): void {
    this.element.dataset['active'] = String(active)
    this.#bar.value = length === 0 ? 1 : Math.min(1, sentBytes / length)
    // Whoever has several senders is done with less than all of it from here.
    const state = active ? percentText(Math.min(sentBytes, length), length) : 'sent'
    write(this.#text, `${bytesText(sentBytes)} · ${state}`)
  }
}
