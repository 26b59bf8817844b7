import {
  addressKey,
  type FullHash,
  type IceServer,
  type JsonValue,
  type PeerAddress,
  type PeerId
} from '@mayfly/common'
import { Channels } from './channels.js'
import type { Content } from './content.js'
import type { EarlyOpen } from './core/signal-data.js'
import { Uplink } from './core/uplink.js'
import { MayflyError } from './error.js'
import { PeerSession } from './peer-session.js'
import type { Platform } from './platform.js'
import type { Channel } from './ports/channel.js'
import type { Uploader } from './uploader.js'

/** Liars remembered per session; the oldest is forgotten first. */
const MAX_BANNED = 1_024

export interface PeerSessionsOptions {
  readonly peerId: PeerId
  readonly platform: Pick<Platform, 'connector' | 'clock' | 'onnetwork'>
  readonly uploader: Uploader
  /** Passes a signal to the mediator. False: it cannot be sent now. */
  readonly signal: (to: PeerAddress, data: JsonValue, fullHash: FullHash | undefined) => boolean
  /** A peer wants a content. */
  readonly onwanted: (peer: PeerAddress, fullHash: FullHash) => void
  /** A content could not be read. */
  readonly unreadable: (content: Content, error: unknown) => void
}

/** The sessions with all peers that there is a channel to, and the peers that there will be none to. */
export class PeerSessions {
  readonly #options: PeerSessionsOptions
  readonly #channels: Channels
  readonly #stopListening: (() => void) | undefined
  readonly #sessions = new Map<Channel, PeerSession>()
  readonly #uplink = new Uplink()
  /** Keys of addresses: an id alone may be taken by somebody else at another mediator. */
  readonly #banned = new Set<string>()

  constructor(options: PeerSessionsOptions) {
    this.#options = options
    const { peerId, platform } = options
    const { connector, clock } = platform
    this.#channels = new Channels(
      { peerId, connector, clock, takesEarly: true },
      {
        onchannel: channel => this.#begin(channel),
        onsignal: (to, data, fullHash) => options.signal(to, data, fullHash),
        onsuspect: channel => this.#sessions.get(channel)?.suspect(),
        onmoved: channel => this.#sessions.get(channel)?.move()
      }
    )
    this.#stopListening = platform.onnetwork?.(() => this.#channels.networkChanged())
  }

  set iceServers(iceServers: readonly IceServer[]) {
    this.#channels.iceServers = iceServers
  }

  /** Why this platform has no WebRTC; undefined where it has. */
  get noWebRtc(): string | undefined {
    return this.#options.platform.connector.unavailable
  }

  /** A download begins: the first peer that is named for it is connected to without delay. */
  prepare(): void {
    this.#channels.prepare()
  }

  /** The session with a peer: the open one, or over a new channel. Rejects with an Error that says why not. */
  async connect(peer: PeerAddress, fullHash: FullHash, early?: EarlyOpen): Promise<PeerSession> {
    if (this.#banned.has(addressKey(peer))) throw new Error('it sent something wrong before')
    if (this.noWebRtc !== undefined) throw new MayflyError('no_webrtc', this.noWebRtc)
    const session = this.#sessions.get(await this.#channels.open(peer, fullHash, early))
    if (session === undefined) throw new Error('the channel closed at once')
    return session
  }

  connected(): PeerAddress[] {
    return this.#channels.connected()
  }

  /** The `data` of a signal that the mediator passed on. */
  receive(from: PeerAddress, data: JsonValue): void {
    if (!this.#banned.has(addressKey(from))) this.#channels.receive(from, data)
  }

  /** The mediator cannot reach this peer. */
  unreachable(peerId: PeerId): void {
    this.#channels.unreachable(peerId)
  }

  /** A mediator, the same again or another one, passes signals on and offers servers for ICE. */
  established(iceServers: readonly IceServer[]): void {
    this.#channels.iceServers = iceServers
    this.#channels.signalsPass()
  }

  /** Closes the channel of a peer; `forGood`: and has nothing to do with it any more. */
  drop(peer: PeerAddress, reason: string, forGood: boolean): void {
    const key = addressKey(peer)
    if (forGood) {
      this.#banned.add(key)
      for (const oldest of this.#banned) {
        if (this.#banned.size <= MAX_BANNED) break
        this.#banned.delete(oldest)
      }
    }
    for (const session of [...this.#sessions.values()])
      if (addressKey(session.remote) === key) session.close(reason)
  }

  /** A content is not served any more. */
  withdraw(content: Content): void {
    for (const session of this.#sessions.values()) session.withdraw(content)
  }

  close(reason: string): void {
    this.#stopListening?.()
    this.#channels.close(reason)
    this.#options.uploader.close()
  }

  #begin(channel: Channel): void {
    const { platform, uploader, unreadable, onwanted } = this.#options
    const { clock } = platform
    const session = new PeerSession(channel, {
      uploader,
      uplink: this.#uplink,
      clock,
      unreadable,
      onwanted: fullHash => onwanted(channel.remote, fullHash),
      onbusy: busy => this.#channels.setBusy(channel, busy),
      onviolation: reason => this.drop(channel.remote, reason, true),
      onclose: () => void this.#sessions.delete(channel)
    })
    this.#sessions.set(channel, session)
    if (this.#banned.has(addressKey(channel.remote))) session.close('it sent something wrong before')
  }
}
