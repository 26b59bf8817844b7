import { type ConnectOptions, type MediatorConnection, type Session, library } from './library.js'
import { shortAddress } from './mediator-address.js'

/** What the page's connection tells those who listen. */
export interface ConnectionListener {
  /** Another session begins: what the last one did is over. */
  begun?(session: Session): void
  /** The state of the mediator changed. */
  changed?(): void
}

/** The page's one session with the network, replaced when the visitor chooses other mediators. */
export class Connection {
  readonly #listeners: ConnectionListener[] = []
  #session: Session | undefined
  #mediators: readonly string[] = []
  #opened = false
  /** Whether a mediator answered in this session. */
  #met = false
  readonly #options: ConnectOptions

  constructor(options: ConnectOptions = {}) {
    this.#options = options
  }

  get session(): Session | undefined {
    return this.#session
  }

  /** What the visitor or the link chose, the one that is connected to first. */
  get mediators(): readonly string[] {
    const url = this.#session?.mediator.url
    if (url === undefined || !this.#mediators.includes(url)) return this.#mediators
    return [url, ...this.#mediators.filter(other => other !== url)]
  }

  /** Whether `open` was called: before, the page still looks for addresses. */
  get opened(): boolean {
    return this.#opened
  }

  get established(): boolean {
    return this.#session?.mediator.state === 'established'
  }

  listen(listener: ConnectionListener): void {
    this.#listeners.push(listener)
  }

  /** Begins a session with these mediators and ends the one before. */
  open(mediators: readonly string[]): void {
    const last = this.#session
    this.#mediators = mediators
    this.#opened = true
    this.#met = false
    this.#session = undefined
    if (last !== undefined) void last.close().catch(() => undefined)
    const mayfly = library()
    if (mayfly !== undefined && mediators.length > 0) {
      const session = mayfly.connect(mediators, this.#options)
      this.#session = session
      // It is the state that tells; a rejection only repeats that the session was closed.
      session.established.then(
        () => (this.#met ||= session === this.#session),
        () => undefined
      )
      session.addEventListener('mediator', () => this.#changed())
      for (const listener of this.#listeners) listener.begun?.(session)
    }
    this.#changed()
  }

  /** The state of the connection in words, and how it looks. */
  get words(): { readonly text: string; readonly look: 'good' | 'busy' | 'bad' } {
    if (library() === undefined) return { text: 'The library is missing: run "npm run compile"', look: 'bad' }
    if (!this.#opened) return { text: 'Looking for a mediator…', look: 'busy' }
    if (this.#session === undefined) return { text: 'No mediator address yet', look: 'bad' }
    return wordsOf(this.#session.mediator, this.#mediators, this.#met)
  }

  #changed(): void {
    for (const listener of this.#listeners) listener.changed?.()
  }
}

/** The state of a session's mediator in words. `met`: whether one has answered in this session. */
export function wordsOf(
  { state, url, reason }: MediatorConnection,
  mediators: readonly string[],
  met: boolean
): { readonly text: string; readonly look: 'good' | 'busy' | 'bad' } {
  const name = shortAddress(url ?? mediators[0] ?? '')
  if (state === 'established') return { text: `Connected to mediator ${name}`, look: 'good' }
  if (state === 'closed')
    return { text: `Not connected${reason === undefined ? '' : ': ' + reason}`, look: 'bad' }
  if (met) return { text: `Lost the mediator. Trying ${name}…`, look: 'busy' }
  if (state === 'connecting' && reason === undefined) {
    return { text: `Connecting to mediator ${name}…`, look: 'busy' }
  }
  return { text: `No answer from mediator ${name}. Trying again…`, look: 'bad' }
}
