import {
  DEFAULT_MEDIATION_LIMITS,
  decodeClientMessage,
  type ClientMessage,
  type FullHash,
  type IceServer,
  type MediatorId,
  type MediatorMessage,
  type PeerAddress,
  type PeerId
} from '@mayfly/common'
import { createHash } from 'node:crypto'
import type { OpenSocket, SocketEvents } from '../src/ports/socket.js'

/** A peer at a mediator. */
interface Guest {
  readonly address: PeerAddress
  readonly seeds: Set<FullHash>
  tell(message: MediatorMessage): void
  end(code: number): void
}

/**
 * Mediators in memory that know all of each other's peers at once: whatever URL a peer opens is one, until it
 * is killed. They do what the tests of peers need, and leave out every limit.
 */
export class MemoryMediation {
  /** What every mediator offers from now on. */
  iceServers: readonly IceServer[] | undefined
  readonly asked: FullHash[] = []
  readonly #guests = new Set<Guest>()
  readonly #killed = new Set<string>()

  /** For `MediationClient`. */
  readonly openSocket: OpenSocket = (url, events) => {
    const mediatorId = createHash('sha256').update(url).digest('hex') as MediatorId
    let guest: Guest | undefined
    let isOpen = true
    const end = (code: number): void => {
      if (!isOpen) return
      isOpen = false
      if (guest !== undefined) this.#guests.delete(guest)
      queueMicrotask(() => events.onclose(code, ''))
    }
    if (this.#killed.has(url)) end(1006)
    else queueMicrotask(() => isOpen && events.onopen())
    return {
      send: text => {
        const decoded = decodeClientMessage(
          text,
          { established: guest !== undefined },
          DEFAULT_MEDIATION_LIMITS
        )
        if (!isOpen || !decoded.ok) return
        const { message } = decoded
        if (guest !== undefined) this.#serve(guest, message)
        else if ('peerId' in message) guest = this.#admit({ peerId: message.peerId, mediatorId }, events, end)
      },
      close: () => end(1000)
    }
  }

  /** Whoever announced it, at whatever mediator. */
  seedersOf(fullHash: FullHash): PeerAddress[] {
    return [...this.#guests].filter(({ seeds }) => seeds.has(fullHash)).map(({ address }) => address)
  }

  /** Breaks the connections of one peer, which may come back. */
  disconnect(peerId: PeerId): void {
    for (const guest of this.#guests) if (guest.address.peerId === peerId) guest.end(1006)
  }

  /** Ends a mediator without a word, for good. */
  kill(url: string): void {
    this.#killed.add(url)
    const mediatorId = createHash('sha256').update(url).digest('hex')
    for (const guest of this.#guests) if (guest.address.mediatorId === mediatorId) guest.end(1006)
  }

  #admit(address: PeerAddress, events: SocketEvents, end: (code: number) => void): Guest {
    let isHere = true
    const guest: Guest = {
      address,
      seeds: new Set(),
      tell: answer => setImmediate(() => isHere && events.onmessage(JSON.stringify(answer))),
      end: code => {
        isHere = false
        end(code)
      }
    }
    this.#guests.add(guest)
    const { iceServers } = this
    guest.tell({ type: 'established', mediatorId: address.mediatorId, ...(iceServers && { iceServers }) })
    return guest
  }

  #serve(guest: Guest, message: ClientMessage): void {
    switch (message.type) {
      case 'handshake':
      case 'get_mediators':
        break
      case 'announce':
      case 'finish':
        for (const fullHash of message.fullHashes) {
          if (message.type === 'announce') guest.seeds.add(fullHash)
          else guest.seeds.delete(fullHash)
        }
        break
      case 'get_peers': {
        const { fullHash } = message
        this.asked.push(fullHash)
        const peers = this.seedersOf(fullHash).filter(({ peerId }) => peerId !== guest.address.peerId)
        guest.tell({ type: 'peers', fullHash, peers, final: true })
        break
      }
      case 'signal': {
        const { peerId, mediatorId, data } = message
        const receiver = [...this.#guests].find(
          ({ address }) => address.peerId === peerId && address.mediatorId === mediatorId
        )
        if (receiver !== undefined) receiver.tell({ type: 'signal', ...guest.address, data })
        else guest.tell({ type: 'error', code: 'peer_unreachable', message: 'it is not here', peerId })
        break
      }
    }
  }
}
