import { make, write } from '../element.js'
import { bytesText, shareText, shortId } from '../figure.js'
import type { PeerShare } from '../library.js'
import { PEER_COLOURS } from './block-canvas.js'

/** Peers that are listed, those that brought most first. */
const PEERS_SHOWN = 8
/** Senders that get a number of their own; colours repeat long before. */
const MAX_NUMBERED = 256

/** The peers of one download with their share, each in the colour of its blocks. */
export class PeerLegend {
  readonly element = make('ul', { class: 'peers', 'aria-label': 'Who sends it' })
  readonly #numbers = new Map<string, number>()

  /** The number of a sender, given in the order of appearance: its colour. */
  numberOf(peerId: string | undefined): number {
    const key = peerId ?? ''
    const number = this.#numbers.get(key) ?? this.#numbers.size
    if (this.#numbers.size < MAX_NUMBERED) this.#numbers.set(key, number)
    return number
  }

  show(peers: readonly PeerShare[], verifiedBytes: number): void {
    const rows = [...peers].sort((one, other) => other.bytes - one.bytes).slice(0, PEERS_SHOWN)
    rows.forEach((peer, index) => this.#showPeer(peer, index, verifiedBytes))
    while (this.element.children.length > rows.length) this.element.lastElementChild?.remove()
  }

  #showPeer(peer: PeerShare, index: number, verifiedBytes: number): void {
    const row = this.element.children[index] ?? this.element.appendChild(emptyRow())
    const [swatch, id, text] = row.children
    if (swatch === undefined || id === undefined || text === undefined) return
    const colour = `swatch peer-${this.numberOf(peer.peerId) % PEER_COLOURS}`
    if (swatch.className !== colour) swatch.className = colour
    write(id, shortId(peer.peerId))
    id.setAttribute('title', `Peer ${peer.peerId}`)
    write(text, wordsOf(peer, verifiedBytes))
  }
}

function emptyRow(): HTMLLIElement {
  return make('li', {}, make('span'), make('span', { class: 'peer' }), make('span', { class: 'figures' }))
}

function wordsOf({ bytes, state, reason }: PeerShare, verifiedBytes: number): string {
  const brought = `${bytesText(bytes)} · ${shareText(bytes, verifiedBytes)}`
  if (state === 'connecting') return 'connecting…'
  if (state === 'dropped') return `dropped${reason === undefined ? '' : ': ' + reason.slice(0, 120)}`
  if (state === 'left') return bytes === 0 ? 'left' : `${brought} · left`
  return bytes === 0 ? 'connected' : brought
}
