import {
  encodeJson,
  encodeSignal,
  type MediatorId,
  type PeerAddress,
  type PeerId,
  type Signal
} from '@mayfly/common'
import type { RoutedSignal } from '../ports/network.js'
import { keyOf } from './introductions.js'
import type { Milliseconds } from './milliseconds.js'
import type { Peer } from './peer.js'
import type { Roster } from './roster.js'
import { count, type Tally } from './tally.js'

/** What signalling needs of the rest of the mediator. */
export interface SignallingSurroundings {
  readonly mediatorId: MediatorId
  readonly roster: Roster
  readonly tally: Tally
  /** Passes a signal to another mediator; false where there is no way to it. */
  route(signal: RoutedSignal): boolean
}

/** Passes signals on between peers that were introduced lately. */
export class Signalling {
  readonly #around: SignallingSurroundings

  constructor(around: SignallingSurroundings) {
    this.#around = around
  }

  /** `dataJson` is `message.data` as JSON text. */
  signal(sender: Peer, message: Signal, dataJson: string, now: Milliseconds): void {
    if (message.mediatorId === this.#around.mediatorId) this.#signalHere(sender, message, dataJson, now)
    else this.#signalElsewhere(sender, message, now)
  }

  /** A signal from another mediator's peer; false where its receiver is not here. */
  deliver(signal: RoutedSignal, now: Milliseconds): boolean {
    const { from, to, data, fullHash } = signal
    const receiver = this.#around.roster.get(to.peerId)
    // Nobody else speaks for our peers.
    if (receiver === undefined || to.mediatorId !== this.#around.mediatorId) return false
    if (from.mediatorId === this.#around.mediatorId) return false
    receiver.introductions.note(keyOf(from), now)
    receiver.connection.send(encodeSignal(from, encodeJson(data), fullHash))
    count(this.#around.tally.signals, 'in')
    return true
  }

  /** Another mediator could not deliver a signal. Ignored where the sender has never known the receiver. */
  undeliverable(from: PeerId, to: PeerAddress): void {
    const sender = this.#around.roster.get(from)
    if (sender?.introductions.has(keyOf(to)) === true) this.#unreachable(sender, to.peerId)
  }

  #signalHere(sender: Peer, message: Signal, dataJson: string, now: Milliseconds): void {
    const receiver = this.#around.roster.get(message.peerId)
    if (receiver === undefined || receiver === sender) return this.#unreachable(sender, message.peerId)
    if (!this.#mayPass(sender, { peerId: message.peerId, key: receiver.key }, now)) return
    receiver.introductions.note(sender.key, now)
    receiver.connection.send(encodeSignal(sender.address, dataJson, message.fullHash))
    count(this.#around.tally.signals, 'local')
  }

  #signalElsewhere(sender: Peer, message: Signal, now: Milliseconds): void {
    if (!this.#mayPass(sender, { peerId: message.peerId, key: keyOf(message) }, now)) return
    const { peerId, mediatorId, data, fullHash } = message
    const to = { peerId, mediatorId }
    const routed = this.#around.route({
      from: sender.address,
      to,
      data,
      ...(fullHash === undefined ? {} : { fullHash })
    })
    if (routed) count(this.#around.tally.signals, 'out')
    else this.#unreachable(sender, peerId)
  }

  #mayPass(sender: Peer, to: { peerId: PeerId; key: string }, now: Milliseconds): boolean {
    const { peerId } = to
    const verdict = sender.introductions.signal(to.key, now)
    if (verdict === 'unknown') this.#unreachable(sender, peerId)
    if (verdict === 'too-many') this.#refuse(sender, 'rate_limited', peerId)
    return verdict === 'pass'
  }

  #unreachable(sender: Peer, peerId: PeerId): void {
    this.#refuse(sender, 'peer_unreachable', peerId)
  }

  #refuse(sender: Peer, code: 'peer_unreachable' | 'rate_limited', peerId: PeerId): void {
    const why = code === 'rate_limited' ? 'too many signals to this peer' : 'not introduced lately, or gone'
    count(this.#around.tally.errors, code)
    sender.send({ type: 'error', code, message: why, peerId })
  }
}
