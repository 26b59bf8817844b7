import type { Connection } from '../connection.js'
import { button, make, part, write } from '../element.js'
import { bytesText, countText } from '../figure.js'
import type { ContentServer } from '../library.js'
import type { SharedFile } from '../share-link.js'
import { WakeLock } from '../wake-lock.js'
import { type CardState, FileCard } from './file-card.js'
import { PeerNumbers } from './peer-numbers.js'

/** Files fetched at the same time: enough to fill a line with small ones. */
const AT_ONCE = 4
/** A stranger's link may start by itself up to this many bytes in all; for more the visitor is asked. */
const MAX_UNASKED_BYTES = 256 * 1024 * 1024

/** The service worker of the library, beside its script. */
const WORKER = 'dist/mayfly-worker.js'

/** All that the leecher page fetches: a few files at a time, in order. */
export class Fetching {
  readonly #connection: Connection
  readonly #list = part('files', HTMLUListElement)
  readonly #summary = part('summary', HTMLElement)
  readonly #wakeLock = new WakeLock()
  #cards: readonly FileCard[] = []
  #server: Promise<ContentServer> = Promise.resolve({ available: false, reason: 'the session has not begun' })

  constructor(connection: Connection) {
    this.#connection = connection
    connection.listen({
      begun: session => {
        this.#server = session.serve({ worker: WORKER })
        this.#resume(card => card.state === 'fetching' || card.waitsForMediator || card.served)
      },
      changed: () => {
        if (connection.established) this.#resume(card => card.waitsForMediator)
        for (const card of this.#cards) card.reconsider()
        this.#settle()
      }
    })
  }

  /** Shows these files instead of those before. They start when the visitor asked for them, or when they are small. */
  offer(files: readonly SharedFile[], asked: boolean): void {
    for (const card of this.#cards) if (card.state !== 'complete') card.cancel()
    this.#cards = []
    const page = {
      numbers: new PeerNumbers(),
      changed: () => this.#settle(),
      reachable: () => this.#connection.established,
      asked: () => history.replaceState({ asked: true }, ''),
      server: () => this.#server
    }
    const cards = files.map(file => new FileCard(file, page))
    this.#list.replaceChildren(...cards.map(card => card.element))
    this.#cards = cards
    const total = files.reduce((sum, { length }) => sum + (length ?? Infinity), 0)
    if (asked || total <= MAX_UNASKED_BYTES) for (const card of cards) card.queue()
    this.#settle()
  }

  /** A state changed, or the connection: starts what can start. */
  #settle(): void {
    const { session } = this.#connection
    const fetching = this.#count('fetching')
    const next = this.#cards.find(card => card.state === 'queued')
    if (session !== undefined && next !== undefined && fetching < AT_ONCE) return next.start(session)
    this.#wakeLock.want(fetching > 0)
    part('sharing', HTMLElement).hidden = this.#count('complete') === 0
    this.#summarise()
    return undefined
  }

  #resume(which: (card: FileCard) => boolean): void {
    for (const card of this.#cards.filter(which)) card.queue()
  }

  #count(state: CardState): number {
    return this.#cards.filter(card => card.state === state).length
  }

  #summarise(): void {
    const many = this.#cards.length > 1
    this.#summary.hidden = !many
    if (!many) return
    const known = this.#cards.reduce((sum, { file }) => sum + (file.length ?? 0), 0)
    const size = known === 0 ? '' : `, ${bytesText(known)}`
    const text = `${this.#count('complete')} of ${countText(this.#cards.length, 'file')} arrived${size}`
    const offered = this.#count('offered') > 0
    const get = button('Get all', () => this.#resume(card => card.state === 'offered'), { class: 'primary' })
    if (this.#summary.firstElementChild === null) this.#summary.append(make('p', { role: 'status' }))
    if (this.#summary.firstElementChild !== null) write(this.#summary.firstElementChild, text)
    if (offered && this.#summary.childElementCount === 1) this.#summary.append(get)
    if (!offered) this.#summary.querySelector('button')?.remove()
  }
}
