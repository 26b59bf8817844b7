import {
  decodeWireMessage,
  encodeWireMessage,
  peerIdFrom,
  type FullHash,
  type PeerAddress,
  type PeerId,
  type WireMessage
} from '@mayfly/common'
import { randomBytes } from 'node:crypto'
import { KBucketTable } from '../src/adapters/k-bucket-table.js'
import { nodeHasher } from '../src/adapters/node-hasher.js'
import type { MediatorConnection } from '../src/api.js'
import { Channels } from '../src/channels.js'
import { PartAssembly } from '../src/core/part-assembly.js'
import { MediationClient } from '../src/mediation-client.js'
import type { Channel } from '../src/ports/channel.js'
import type { Clock } from '../src/ports/clock.js'
import type { Connector } from '../src/ports/connector.js'
import type { OpenSocket } from '../src/ports/socket.js'

/** The other side of a channel, as a script sees it. */
export interface Line {
  readonly channel: Channel
  /** All that was heard on it, put together from its parts. */
  readonly answers: readonly WireMessage[]
  say(message: WireMessage): void
  /** Bytes that need be no message. */
  raw(bytes: Uint8Array<ArrayBuffer>): void
}

/** What a peer does on each of its channels, instead of what it should. */
export interface Script {
  opened?(line: Line): void
  heard?(message: WireMessage, line: Line): void
}

export interface ScriptedPeerOptions {
  readonly urls: readonly string[]
  readonly openSocket: OpenSocket
  readonly connector: Connector
  readonly script: Script
  /** Default: a new one. */
  readonly peerId?: PeerId
  /** Default: the system's. */
  readonly clock?: Clock
}

/**
 * A peer made of the real mediation client and real channels, whose behaviour on a channel is a script: the
 * liars of the tests. It knows nothing of downloads.
 */
export class ScriptedPeer {
  readonly peerId: PeerId
  /** Lines that are or were open. */
  readonly lines: Line[] = []
  /** Why lines were closed, in order. */
  readonly closings: string[] = []
  readonly #established: Promise<void>
  readonly #client: MediationClient
  readonly #channels: Channels
  #tellAnnounced = (): void => {}
  #tellFound: (peer: PeerAddress) => void = () => {}

  constructor(options: ScriptedPeerOptions) {
    const { urls, openSocket, connector, script, clock } = options
    const { peerId = peerIdFrom(randomBytes(20)) } = options
    this.peerId = peerId
    this.#channels = new Channels(
      { peerId, connector, ...(clock && { clock }) },
      {
        onchannel: channel => this.#opened(channel, script),
        onsignal: (to, data, fullHash) => this.#client.signal(to, data, fullHash)
      }
    )
    let establish = (): void => {}
    this.#established = new Promise(resolve => (establish = resolve))
    const table = new KBucketTable(peerId, nodeHasher)
    this.#client = new MediationClient(
      { peerId, urls, openSocket, table, ...(clock && { clock }) },
      {
        onstate: ({ state }) => state === 'established' && establish(),
        onpeers: ({ fullHash, peers }) => this.#onfound(fullHash, peers),
        onsignal: (from, data) => this.#channels.receive(from, data),
        onerror: ({ peerId: lost }) => lost !== undefined && this.#channels.unreachable(lost),
        onannounced: fullHashes => this.#onannounced(fullHashes)
      }
    )
    this.#client.start()
  }

  /** Settles when the mediator was told. */
  async announce(fullHash: FullHash): Promise<void> {
    const announced = new Promise<void>(resolve => (this.#tellAnnounced = resolve))
    this.#client.announce([fullHash])
    await announced
  }

  /** Opens a channel to someone who seeds `fullHash`, as a downloader does. */
  async call(fullHash: FullHash): Promise<Line> {
    const found = new Promise<PeerAddress>(resolve => (this.#tellFound = resolve))
    this.#client.getPeers(fullHash, [])
    return this.#open(await found)
  }

  /** Opens a channel to a peer that is known otherwise. */
  async callPeer({ peerId, mediator }: { peerId: PeerId; mediator: MediatorConnection }): Promise<Line> {
    if (mediator.mediatorId === undefined) throw new Error('it has no mediator')
    await this.#established
    return this.#open({ peerId, mediatorId: mediator.mediatorId })
  }

  async #open(address: PeerAddress): Promise<Line> {
    const channel = await this.#channels.open(address)
    return this.lines.find(line => line.channel === channel) as Line
  }

  close(): void {
    this.#channels.close('the test is over')
    this.#client.close()
  }

  #onannounced(fullHashes: readonly FullHash[]): void {
    if (fullHashes.length > 0) this.#tellAnnounced()
  }

  #onfound(fullHash: FullHash, peers: readonly PeerAddress[]): void {
    if (peers[0] === undefined) this.#client.getPeers(fullHash, [])
    else this.#tellFound(peers[0])
  }

  #opened(channel: Channel, script: Script): void {
    const answers: WireMessage[] = []
    const parts = new PartAssembly()
    const line: Line = {
      channel,
      answers,
      say: message => channel.send(encodeWireMessage(message)),
      raw: bytes => channel.send(bytes)
    }
    this.lines.push(line)
    channel.onclose = reason => void this.closings.push(reason)
    channel.onmessage = bytes => {
      const message = decodeWireMessage(bytes)
      if (message.type === 'error') return
      if (message.type === 'probe') {
        line.say({ type: 'report', number: message.number, receivedAt: 0 })
        return
      }
      if (message.type === 'part') {
        parts.add(message)
        return
      }
      const heard = (each: WireMessage): void => {
        answers.push(each)
        script.heard?.(each, line)
      }
      if (message.type === 'start') {
        heard(message.header)
        heard(message.data)
      } else heard(message.type === 'data' ? (parts.complete(message) ?? message) : message)
    }
    script.opened?.(line)
  }
}
