import { Audience } from '../audience.js'
import type { Connection } from '../connection.js'
import { announce, part, write } from '../element.js'
import { bytesText } from '../figure.js'
import type { Session } from '../library.js'
import { type SharedFile, MAX_FILES } from '../share-link.js'
import { troubleOf } from '../trouble.js'
import { WakeLock } from '../wake-lock.js'
import { SharePanel } from './share-panel.js'
import { SharedRow } from './shared-row.js'

/** Time between two looks at who fetches: often enough to be alive, rare enough to cost nothing. */
const REFRESH_MS = 200
/** The same while nothing new is sent. */
const WATCH_MS = 1000

/** All that the seeder page shares: reads the chosen files one after the other, announces them, shows who comes. */
export class Seeding {
  readonly #connection: Connection
  readonly #rows = new Set<SharedRow>()
  readonly #panel = new SharePanel(() => this.stopAll())
  readonly #list = part('files', HTMLUListElement)
  readonly #audience = new Audience()
  readonly #wakeLock = new WakeLock()
  #reading: SharedRow | undefined
  #stopReading = new AbortController()
  #refreshing = false
  #watching = false

  constructor(connection: Connection) {
    this.#connection = connection
    part('share', HTMLElement).replaceWith(this.#panel.element)
    connection.listen({ begun: session => this.#begin(session), changed: () => this.#refresh() })
  }

  /** Whether closing the page would end anything. */
  get busy(): boolean {
    return this.#rows.size > 0
  }

  /** Shares these files too, as many as one link carries. */
  add(files: readonly File[]): void {
    const room = MAX_FILES - this.#rows.size
    for (const file of files.slice(0, room)) {
      const row = new SharedRow(file, { stop: one => this.stop(one), retry: one => this.#retry(one) })
      this.#rows.add(row)
      this.#list.append(row.element)
    }
    write(part('notice', HTMLElement), files.length > room ? `One page shares up to ${MAX_FILES} files.` : '')
    this.#readNext()
    this.#show()
  }

  /** Nobody can fetch this file any more. */
  stop(row: SharedRow): void {
    const { fullHash } = row
    const next = row.element.nextElementSibling ?? row.element.previousElementSibling
    this.#rows.delete(row)
    row.element.remove()
    if (this.#reading === row) this.#stopReading.abort()
    const shared = [...this.#rows].some(other => other.fullHash === fullHash)
    if (fullHash !== undefined && !shared)
      void this.#connection.session?.finish(fullHash).catch(() => undefined)
    // Whoever works by keyboard goes on at the next file, not at the top of the page.
    const focus = next?.querySelector('button') ?? document.getElementById('choose')
    focus?.focus({ preventScroll: true })
    announce(`${row.name} is no longer shared`)
    this.#show()
  }

  stopAll(): void {
    for (const row of [...this.#rows]) this.stop(row)
    announce('Nothing is shared any more')
  }

  #retry(row: SharedRow): void {
    this.#rows.delete(row)
    this.#rows.add(row)
    row.reading(0, 0)
    this.#failed.delete(row)
    this.#readNext()
    this.#show()
  }

  readonly #failed = new Set<SharedRow>()

  /** A new session knows nothing of what the last one shared. */
  #begin(session: Session): void {
    this.#stopReading.abort()
    this.#audience.disband()
    this.#failed.clear()
    for (const row of this.#rows) row.reading(0, 0)
    session.addEventListener('upload', () => this.#refresh())
    session.addEventListener('warning', ({ detail }) => {
      const { happened, remedy } = troubleOf(detail)
      if (session === this.#connection.session) write(part('notice', HTMLElement), `${happened} ${remedy}`)
    })
    this.#readNext()
  }

  #readNext(): void {
    const { session } = this.#connection
    const next = [...this.#rows].find(row => row.fullHash === undefined && !this.#failed.has(row))
    if (this.#reading !== undefined || session === undefined || next === undefined) return
    this.#reading = next
    this.#stopReading = new AbortController()
    void this.#read(session, next, this.#stopReading.signal)
  }

  async #read(session: Session, row: SharedRow, signal: AbortSignal): Promise<void> {
    try {
      const onProgress = (hashed: number, length: number): void => {
        if (!signal.aborted) row.reading(hashed, length)
      }
      const fullHash = await session.seed(row.file, { signal, onProgress })
      if (session === this.#connection.session && this.#rows.has(row)) {
        row.shared(fullHash)
        announce(`${row.name} can be fetched`)
      } else if (session === this.#connection.session) {
        await session.finish(fullHash)
      }
    } catch (reason) {
      if (!signal.aborted) {
        this.#failed.add(row)
        row.failed(reason)
      }
    }
    this.#reading = undefined
    this.#readNext()
    this.#show()
  }

  #refresh(): void {
    if (this.#refreshing) return
    this.#refreshing = true
    setTimeout(() => {
      this.#refreshing = false
      this.#show()
    }, REFRESH_MS)
  }

  #watch(): void {
    if (this.#watching) return
    this.#watching = true
    setTimeout(() => {
      this.#watching = false
      this.#refresh()
    }, WATCH_MS)
  }

  #show(): void {
    for (const upload of this.#connection.session?.uploads ?? []) this.#audience.report(upload)
    // That someone is done comes with no event: only with time.
    if (this.#audience.fetching > 0) this.#watch()
    const files = this.#files()
    this.#panel.show(files, this.#rows.size, this.#connection.mediators)
    for (const row of this.#rows) row.show(this.#audience)
    const { fetching, sentBytes } = this.#audience
    this.#wakeLock.want(fetching > 0)
    const people = fetching === 1 ? '1 person is' : `${fetching} people are`
    const now = fetching === 0 ? 'Nobody is fetching right now' : `${people} fetching now`
    write(part('audience', HTMLElement), `${now} · ${bytesText(sentBytes)} sent`)
    part('audience', HTMLElement).hidden = files.length === 0 && sentBytes === 0
    document.body.dataset['sharing'] = String(this.busy)
    document.title = fetching > 0 ? `(${fetching}) Share files · Mayfly` : 'Share files · Mayfly'
  }

  #files(): readonly SharedFile[] {
    const files: SharedFile[] = []
    for (const { fullHash, file, name } of this.#rows) {
      if (fullHash !== undefined) files.push({ fullHash, name, type: file.type, length: file.size })
    }
    return files
  }
}
