import { make, write } from '../element.js'
import { bytesText, shareText } from '../figure.js'
import { KINDS, type Kind, SOURCES, type Shares, type Source } from './ledger.js'

const WORDS: Readonly<Record<Source, string>> = { peer: 'Visitors', cache: 'Cache', origin: 'The site' }

/** What the bar shows. */
export interface Sums {
  /** Of the pages so far. */
  readonly visit: Shares
  /** Of this page. */
  page(kind?: Kind): Shares
}

/** The bar at the bottom: what came from where so far, and behind its button the same by kinds of objects. */
export class Bar {
  readonly #segments = bySource(source => make('span', { 'data-source': source }))
  readonly #figures = bySource(() => ({ share: make('span'), bytes: make('span', { class: 'bytes' }) }))
  readonly #rows: readonly { readonly kind: Kind | undefined; readonly cells: Record<Source, HTMLElement> }[]
  readonly #detail: HTMLElement
  readonly #button = make(
    'button',
    { type: 'button', 'aria-expanded': 'false', 'aria-controls': 'detail' },
    'Details'
  )
  #sums: Sums | undefined

  constructor(aside: HTMLElement) {
    this.#rows = [...KINDS, undefined].map(kind => ({ kind, cells: bySource(() => make('td')) }))
    this.#detail = make('div', { id: 'detail', class: 'detail', hidden: '' }, this.#table())
    const shares = make(
      'div',
      { class: 'shares', 'aria-hidden': 'true' },
      ...SOURCES.map(name => this.#segments[name])
    )
    const title = make('h2', { id: 'sources-title' }, 'Came from')
    const summary = make('div', { class: 'summary' }, title, shares, this.#legend(), this.#button)
    aside.replaceChildren(this.#detail, summary)
    aside.hidden = false
    this.#button.addEventListener('click', () => this.#open(this.#detail.hidden === true))
    aside.addEventListener('keydown', ({ key }) => {
      if (key !== 'Escape' || this.#detail.hidden) return
      this.#open(false)
      this.#button.focus()
    })
  }

  show(sums: Sums): void {
    this.#sums = sums
    const { visit } = sums
    const all = SOURCES.reduce((sum, source) => sum + visit[source], 0)
    let start = 0
    for (const source of SOURCES) {
      const share = all === 0 ? 0 : visit[source] / all
      this.#segments[source].style.transform = `translateX(${100 * start}%) scaleX(${share})`
      start += share
      write(this.#figures[source].share, shareText(visit[source], all))
      write(this.#figures[source].bytes, bytesText(visit[source]))
    }
    if (!this.#detail.hidden) this.#showRows()
  }

  #open(isOpen: boolean): void {
    this.#detail.hidden = !isOpen
    this.#button.setAttribute('aria-expanded', String(isOpen))
    this.#showRows()
  }

  #showRows(): void {
    for (const { kind, cells } of this.#rows) {
      const shares = this.#sums?.page(kind)
      for (const source of SOURCES) write(cells[source], shares?.[source] ? bytesText(shares[source]) : '–')
    }
  }

  #legend(): HTMLElement {
    const items = SOURCES.map(source => {
      const { share, bytes } = this.#figures[source]
      return make(
        'li',
        { 'data-source': source },
        make('span', {}, make('b', {}, WORDS[source]), ' ', share),
        bytes
      )
    })
    return make('ul', { class: 'legend' }, ...items)
  }

  #table(): HTMLElement {
    const heads = ['On this page', ...SOURCES.map(source => WORDS[source])]
    const head = make('tr', {}, ...heads.map(text => make('th', { scope: 'col' }, text)))
    const rows = this.#rows.map(({ kind, cells }) => {
      const name = make('th', { scope: 'row' }, kind ?? 'all')
      return make('tr', {}, name, ...SOURCES.map(source => cells[source]))
    })
    const caption = make(
      'caption',
      {},
      'The bar counts all pages of this visit; these are the parts of this one.'
    )
    return make('table', {}, caption, make('thead', {}, head), make('tbody', {}, ...rows))
  }
}

function bySource<Value>(valueOf: (source: Source) => Value): Record<Source, Value> {
  return { peer: valueOf('peer'), cache: valueOf('cache'), origin: valueOf('origin') }
}
