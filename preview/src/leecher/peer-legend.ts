import { make, write } from '../element.js'
import { bytesText, shareText, shortId } from '../figure.js'
import type { PeerShare } from '../library.js'
import { PEER_COLOURS } from './block-canvas.js'
import type { PeerNumbers } from './peer-numbers.js'

/** Peers that are listed, those that brought most first. */
const PEERS_SHOWN = 8

/** The peers of one download with their share, each in the colour of its blocks. */
export class PeerLegend {
  readonly element = make('ul', { class: 'peers', 'aria-label': 'Who sends it' })
  readonly #numbers: PeerNumbers

  constructor(numbers: PeerNumbers) {
    this.#numbers = numbers
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
    const colour = `swatch peer-${this.#numbers.of(peer.peerId) % PEER_COLOURS}`
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
