import { BlockMap } from '../block-map.js'
import { announce, button, copyButton, make, write } from '../element.js'
import { bytesText, percentText, secondsText } from '../figure.js'
import { nameFor } from '../file-name.js'
import {
  type ContentServer,
  type Download,
  type DownloadProgress,
  type OriginOptions,
  type Session,
  type VerifiedRun,
  BLOCK_BYTES
} from '../library.js'
import type { SharedFile } from '../share-link.js'
import { type Circumstances, codeOf, troubleOf } from '../trouble.js'
import { arrivedOf } from './arrived.js'
import { BlockCanvas, ORIGIN_SENDER } from './block-canvas.js'
import { circumstancesOf } from './circumstances.js'
import { playingOf } from './playing.js'
import { PeerLegend } from './peer-legend.js'
import type { PeerNumbers } from './peer-numbers.js'

/** How long nobody may have a file before the visitor is told: three times what mediators need to find anyone. */
const PATIENCE_MS = 15_000

/** Smaller files verify as a whole soon enough. */
const SIDECAR_FROM_BYTES = 1_048_576

/** Where a file stands on the leecher page. */
export type CardState = 'offered' | 'queued' | 'fetching' | 'complete' | 'failed' | 'cancelled'

/** What a card knows of the page around it. */
export interface CardPage {
  /** One colour for a peer on all cards. */
  readonly numbers: PeerNumbers
  /** To be called when the card's state has changed. */
  changed(): void
  /** Whether a mediator answers: without one nobody can be looked for. */
  reachable(): boolean
  /** The visitor asked for what the page offers. */
  asked(): void
  /** What gives contents addresses, so that they play while they are fetched. */
  server(): Promise<ContentServer>
}

/** One file on the leecher page: what is known of it, how far it is, who sends it, and then the file itself. */
export class FileCard {
  readonly file: SharedFile
  readonly element: HTMLLIElement
  readonly #name: string
  readonly #page: CardPage
  readonly #size = make('span', { class: 'size' })
  readonly #bar = make('progress', { max: '1', value: '0' })
  readonly #figures = make('p', { class: 'figures' })
  readonly #trouble = make('p', { class: 'trouble', role: 'alert' })
  readonly #canvas = new BlockCanvas()
  readonly #actions = make('div', { class: 'actions' })
  readonly #arrived = make('div', { class: 'arrived' })
  /** Why it is not shown yet, though it could be. */
  readonly #later = make('p', { class: 'hint' })
  #legend: PeerLegend
  #map: BlockMap | undefined
  #download: Download | undefined
  #code: unknown
  #state: CardState = 'offered'
  #playing: HTMLElement | undefined
  #served = false

  constructor(file: SharedFile, page: CardPage) {
    this.file = file
    this.#page = page
    this.#legend = new PeerLegend(page.numbers)
    this.#name = file.name === '' ? nameFor(file.fullHash, '') : file.name
    this.#bar.setAttribute('aria-label', `Progress of ${this.#name}`)
    if (file.length !== undefined) write(this.#size, bytesText(file.length))
    const head = make('div', { class: 'head' }, make('h3', {}, make('bdi', {}, this.#name)), this.#size)
    const stand = make('div', { class: 'stand' }, this.#figures, this.#actions)
    this.element = make('li', { class: 'card file' }, head, this.#arrived, this.#bar, stand)
    this.element.append(this.#later, this.#trouble)
    this.element.append(this.#canvas.element, this.#legend.element, this.#details())
    this.#become('offered', 'Not fetched yet')
  }

  get state(): CardState {
    return this.#state
  }

  /** Whether it failed only because no mediator answered, and goes on when one does. */
  get waitsForMediator(): boolean {
    return this.#state === 'failed' && this.#code === 'mediator_unreachable'
  }

  /** Whether it is complete, but read through the session, and gone when that is. */
  get served(): boolean {
    return this.#state === 'complete' && this.#served
  }

  /** Its turn comes later. */
  queue(): void {
    this.#become('queued', 'Waiting for its turn')
  }

  /** Fetches it with this session. */
  start(session: Session): void {
    const { length, path } = this.file
    const options = {
      timeoutMs: PATIENCE_MS,
      ...(length === undefined ? {} : { maxLength: length }),
      ...(path === undefined ? {} : { origin: originOf(path, length) })
    }
    const download = session.get(this.file.fullHash, options)
    const legend = new PeerLegend(this.#page.numbers)
    this.#legend.element.replaceWith(legend.element)
    this.#legend = legend
    this.#map = undefined
    this.#hide()
    this.#download = download
    this.#become('fetching', this.#searching())
    download.addEventListener('progress', ({ detail }) => {
      if (this.#download === download) this.#show(detail)
    })
    download.addEventListener('verified', ({ detail }) => {
      if (this.#download === download) this.#paint(download, detail)
    })
    void this.#follow(download)
    void this.#play(download)
  }

  /** The mediator came or went. */
  reconsider(): void {
    if (this.#download !== undefined && this.#state === 'fetching') this.#show(this.#download.progress)
  }

  /** Stops fetching. */
  cancel(): void {
    const download = this.#download
    this.#download = undefined
    download?.cancel()
    this.#hide()
    this.#become('cancelled', 'Cancelled')
  }

  async #follow(download: Download): Promise<void> {
    try {
      await download.done
      const server = this.#page.server()
      const { view, save, served } = await arrivedOf(download, this.file, { server, playing: this.#playing })
      if (this.#download !== download) return
      this.#show(download.progress)
      if (view !== this.#playing) this.#arrived.replaceChildren(view)
      this.#served = served
      write(this.#later, '')
      this.#become('complete', `${bytesText(download.progress.length ?? 0)}, every byte verified`)
      this.#actions.replaceChildren(save)
      announce(`${this.#name} arrived`)
    } catch (reason) {
      const circumstances = await circumstancesOf(reason, download)
      if (this.#download === download) this.#fail(reason, circumstances)
    }
  }

  /** Shows it while it is being fetched, where that can be. */
  async #play(download: Download): Promise<void> {
    // Why it fails is told where the download is followed.
    const playing = await playingOf(download, this.file, this.#page.server()).catch(() => undefined)
    if (playing === undefined || this.#download !== download || this.#state !== 'fetching') return
    if ('later' in playing) {
      write(this.#later, playing.later)
      return
    }
    this.#playing = playing.view
    this.#arrived.replaceChildren(playing.view)
  }

  /** Nothing of it is shown any more. */
  #hide(): void {
    this.#playing = undefined
    this.#served = false
    this.#arrived.replaceChildren()
    write(this.#later, '')
  }

  #fail(reason: unknown, circumstances: Circumstances | undefined): void {
    this.#download = undefined
    this.#hide()
    this.#code = codeOf(reason)
    const { happened, remedy, retry } = troubleOf(reason, circumstances)
    this.#become('failed', '')
    this.#trouble.replaceChildren(make('strong', {}, happened), ' ', remedy)
    if (!retry) this.#actions.replaceChildren()
  }

  #become(state: CardState, figures: string): void {
    this.#state = state
    this.element.dataset['state'] = state
    write(this.#figures, figures)
    this.#trouble.replaceChildren()
    this.#actions.replaceChildren(...this.#buttons())
    this.#page.changed()
  }

  #buttons(): readonly HTMLElement[] {
    const again = (label: string): HTMLElement =>
      button(label, () => this.#ask(), { class: 'primary', 'aria-label': `${label} ${this.#name}` })
    const cancel = button('Cancel', () => this.cancel(), { 'aria-label': `Cancel ${this.#name}` })
    if (this.#state === 'fetching') return [this.#pauseButton(), cancel]
    if (this.#state === 'offered') return [again('Get')]
    if (this.#state === 'failed' || this.#state === 'cancelled') return [again('Try again')]
    return this.#state === 'complete' ? [] : [cancel]
  }

  /** The visitor asks for it: a reload need not ask again. */
  #ask(): void {
    this.#page.asked()
    this.queue()
  }

  #pauseButton(): HTMLElement {
    const label = (): string => (this.#download?.paused === true ? 'Resume' : 'Pause')
    const element = button(label(), () => {
      if (this.#download?.paused === true) this.#download.resume()
      else this.#download?.pause()
      write(element, label())
      element.setAttribute('aria-label', `${label()} ${this.#name}`)
    })
    element.setAttribute('aria-label', `${label()} ${this.#name}`)
    return element
  }

  #show(progress: DownloadProgress): void {
    const { length, verifiedBytes, peers } = progress
    if (length !== undefined) {
      write(this.#size, bytesText(length))
      this.#mapOf(length)
    }
    this.#bar.value = length === undefined ? 0 : length === 0 ? 1 : verifiedBytes / length
    // In the end only those count who brought something.
    const shown = progress.state === 'complete' ? peers.filter(peer => peer.bytes > 0) : peers
    const isFetching = progress.state !== 'complete' && this.#download?.paused !== true
    this.#legend.show(progress, shown, isFetching ? performance.now() : undefined)
    write(this.#figures, this.#wordsOf(progress))
    const from = peers.filter(peer => peer.bytes > 0).length
    const label = `Map of the blocks: ${percentText(verifiedBytes, length ?? 1)} here, from ${from} peers`
    this.#canvas.element.setAttribute('aria-label', label)
  }

  #paint(download: Download, { firstBlock, blockCount, peerId, from }: VerifiedRun): void {
    const { length } = download.progress
    if (length === undefined) return
    this.#mapOf(length).add(
      firstBlock,
      blockCount,
      from === 'origin' ? ORIGIN_SENDER : this.#page.numbers.of(peerId)
    )
    this.#canvas.plan()
  }

  #mapOf(length: number): BlockMap {
    if (this.#map === undefined) {
      this.#map = new BlockMap(Math.ceil(length / BLOCK_BYTES))
      this.#canvas.use(this.#map)
    }
    return this.#map
  }

  #details(): HTMLElement {
    const { fullHash } = this.file
    const copy = copyButton('Copy', () => fullHash, `Full hash of ${this.#name}`)
    const hash = make('span', { class: 'label' }, 'Full hash')
    return make('div', { class: 'hash' }, hash, make('code', {}, fullHash), copy)
  }

  /** How far the download is, in words. */
  #wordsOf(progress: DownloadProgress): string {
    const { state, length, verifiedBytes, bytesPerSecond, secondsLeft, peers } = progress
    const gone = peers.length > 0 && peers.every(peer => peer.state === 'left' || peer.state === 'dropped')
    if (state === 'connecting' && verifiedBytes === 0) return 'Connecting to someone who has it…'
    if (length === undefined) return this.#searching()
    const parts = [`${bytesText(verifiedBytes)} of ${bytesText(length)}`]
    if (this.#download?.paused === true) parts.unshift('Paused')
    else if (state === 'searching' || gone)
      parts.push('the sender is gone, looking for someone else who has it…')
    else if (bytesPerSecond > 0) parts.push(`${bytesText(bytesPerSecond)}/s`)
    if (!gone && this.#download?.paused !== true && secondsLeft !== undefined && verifiedBytes < length)
      parts.push(`${secondsText(secondsLeft)} left`)
    return parts.join(' · ')
  }

  #searching(): string {
    return this.#page.reachable() ? 'Looking for someone who has it…' : 'Waiting for a mediator to answer…'
  }
}

/** The page's own site as a source; large files have tree hashes beside them. */
function originOf(path: string, length = Infinity): OriginOptions {
  const url = new URL(path, location.origin).href
  return length > SIDECAR_FROM_BYTES ? { url, sidecar: `${url}.mayfly` } : { url }
}
