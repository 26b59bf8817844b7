import type { Connection } from './connection.js'
import { button, make, write } from './element.js'
import { readMediators } from './mediator-address.js'
import { type Beginning, remember } from './settings.js'

/** The part of a page that says which mediator it uses, and lets the visitor choose another. */
export class MediatorPanel {
  readonly #connection: Connection
  readonly #beginning: Beginning
  readonly #field = make('textarea', {
    id: 'mediators',
    rows: '2',
    spellcheck: 'false',
    autocapitalize: 'off',
    autocomplete: 'off',
    'aria-describedby': 'mediators-hint mediators-problem'
  })
  readonly #problem = make('p', { class: 'problem', id: 'mediators-problem', role: 'alert' })
  readonly #state = make('span', { role: 'status', class: 'state' })
  readonly #details: HTMLDetailsElement

  constructor(connection: Connection, beginning: Beginning) {
    this.#connection = connection
    this.#beginning = beginning
    const form = make(
      'form',
      {},
      make('label', { for: 'mediators' }, 'Mediator addresses'),
      this.#field,
      make(
        'p',
        { class: 'hint', id: 'mediators-hint' },
        'One per line. A mediator introduces this page to others; files never pass through it.'
      ),
      this.#problem,
      make(
        'div',
        { class: 'actions' },
        make('button', { type: 'submit', class: 'primary' }, 'Connect'),
        button('Use the usual ones', () => this.#reset())
      )
    )
    form.addEventListener('submit', event => {
      event.preventDefault()
      this.#submit()
    })
    this.#details = make('details', { class: 'mediator' }, make('summary', {}, this.#state), form)
    connection.listen({ changed: () => this.#show() })
    this.#fill(beginning.mediators)
    this.#show()
  }

  get element(): HTMLElement {
    return this.#details
  }

  #submit(): void {
    const { mediators, unreadable } = readMediators(this.#field.value, location.protocol)
    const [first] = unreadable
    if (first !== undefined)
      return this.#complain(`“${first.slice(0, 60)}” is not an address like ws://host:8081.`)
    if (mediators.length === 0) return this.#complain('Fill in an address like ws://host:8081.')
    if (location.protocol === 'https:' && mediators.some(url => url.startsWith('ws:'))) {
      return this.#complain(
        'This page came over https: the browser allows it only addresses that begin with wss://.'
      )
    }
    const usual = mediators.join() === this.#beginning.usual.join()
    remember(usual ? [] : mediators)
    this.use(mediators)
    return undefined
  }

  /** Connects to these and shows them in the field. */
  use(mediators: readonly string[]): void {
    this.#fill(mediators)
    this.#connection.open(mediators)
  }

  #reset(): void {
    remember([])
    this.use(this.#beginning.usual)
  }

  #fill(mediators: readonly string[]): void {
    this.#complain('')
    this.#field.value = mediators.join('\n')
  }

  #complain(text: string): void {
    write(this.#problem, text)
    this.#field.setAttribute('aria-invalid', String(text !== ''))
  }

  #show(): void {
    const { text, look } = this.#connection.words
    write(this.#state, text)
    this.#details.dataset['look'] = look
    // Only something to fill in opens it: whoever is connected need not look.
    if (this.#connection.session === undefined && this.#connection.opened) this.#details.open = true
  }
}
