import { make, write } from '../element.js'
import { bytesText, shareText, shortId } from '../figure.js'
import type { DownloadProgress, PeerShare } from '../library.js'
import { PEER_COLOURS } from './block-canvas.js'
import type { PeerNumbers } from './peer-numbers.js'
import { SourceRates } from './source-rates.js'
import { wholeOf } from './whole.js'

/** Peers that are listed, those that brought most first. */
const PEERS_SHOWN = 8

/** Below that a source is not said to have a speed. */
const MIN_RATE = 1_000

/** What is said of one source. */
interface Row {
  readonly key: string
  readonly colour: string
  readonly name: string
  readonly title: string
  readonly words: string
}

/** The sources of one download with their share and speed, each in the colour of its blocks. */
export class PeerLegend {
  readonly element = make('ul', { class: 'peers', 'aria-label': 'Who sends it' })
  readonly #numbers: PeerNumbers
  readonly #rates = new SourceRates()

  constructor(numbers: PeerNumbers) {
    this.#numbers = numbers
  }

  /** `now` is left out while nothing is being fetched: then no speed is shown. */
  show(progress: DownloadProgress, peers: readonly PeerShare[], now?: number): void {
    const { origin, state } = progress
    const whole = wholeOf(progress)
    const rows = [...peers]
      .sort((one, other) => other.bytes - one.bytes)
      .slice(0, PEERS_SHOWN)
      .map(peer => this.#rowOf(peer, whole, this.#rateOf(peer.peerId, peer.bytes, now)))
    if (origin !== undefined && !(state === 'complete' && origin.bytes === 0)) {
      const rate = this.#rateOf('origin', origin.bytes, now)
      rows.push({
        key: 'origin',
        colour: 'swatch origin',
        name: 'the site',
        title: 'The web server of the site',
        words: originWords(origin, whole, rate)
      })
    }
    rows.forEach((row, index) => this.#show(row, index))
    while (this.element.children.length > rows.length) this.element.lastElementChild?.remove()
  }

  #rateOf(source: string, bytes: number, now: number | undefined): number {
    return now === undefined ? 0 : this.#rates.of(source, bytes, now)
  }

  #rowOf(peer: PeerShare, whole: number, rate: number): Row {
    return {
      key: peer.peerId,
      colour: `swatch peer-${this.#numbers.of(peer.peerId) % PEER_COLOURS}`,
      name: shortId(peer.peerId),
      title: `Peer ${peer.peerId}`,
      words: peerWords(peer, whole, rate)
    }
  }

  #show(row: Row, index: number): void {
    const element = this.element.children[index] ?? this.element.appendChild(emptyRow())
    const [swatch, id, text] = element.children
    if (swatch === undefined || id === undefined || text === undefined) return
    if (swatch.className !== row.colour) swatch.className = row.colour
    write(id, row.name)
    id.setAttribute('title', row.title)
    write(text, row.words)
  }
}

function emptyRow(): HTMLLIElement {
  return make('li', {}, make('span'), make('span', { class: 'peer' }), make('span', { class: 'figures' }))
}

function peerWords({ bytes, state, reason }: PeerShare, whole: number, rate: number): string {
  const brought = broughtWords(bytes, whole)
  if (state === 'connecting') return 'connecting…'
  if (state === 'dropped') return `dropped${reason === undefined ? '' : ': ' + reason.slice(0, 120)}`
  if (state === 'left') return bytes === 0 ? 'left' : `${brought} · left`
  return bytes === 0 ? 'connected' : brought + rateWords(rate, whole)
}

function originWords(
  { bytes, state, reason }: NonNullable<DownloadProgress['origin']>,
  whole: number,
  rate: number
): string {
  const brought = broughtWords(bytes, whole)
  if (state === 'failed') return `not used${reason === undefined ? '' : ': ' + reason.slice(0, 120)}`
  if (bytes === 0) return state === 'waiting' ? 'not needed' : 'asked'
  return state === 'waiting' ? brought : brought + rateWords(rate, whole)
}

function broughtWords(bytes: number, whole: number): string {
  return `${bytesText(bytes)} · ${shareText(bytes, whole)}`
}

function rateWords(rate: number, whole: number): string {
  return rate < MIN_RATE || whole === 0 ? '' : ` · ${bytesText(rate)}/s`
}
