import {
  ROOT_LEVEL,
  fullHashOf,
  type Data,
  type FullHash,
  type Hasher,
  type Header,
  type PeerAddress,
  type Reject,
  type RejectReason,
  type ServerMessage
} from '@mayfly/common'
import type { BlockRequests } from './block-requests.js'
import type { DownloadEffect } from './download-effect.js'
import type { DownloadLimits } from './download-limits.js'
import type { EarlyOpen } from './signal-data.js'
import type { Source } from './source.js'
import type { SourceList } from './source-list.js'

/** What the peers of a download need of it. */
export interface PeerPlanHost {
  readonly fullHash: FullHash
  readonly hasher: Hasher
  readonly limits: DownloadLimits
  readonly sources: SourceList
  readonly requests: BlockRequests
  /** Whether more peers are of use. */
  mayConnect(now: number): boolean
  /** A peer has proved root and length: of a tree that may be known already. */
  onproved(header: Header, now: number): DownloadEffect[]
  /** The tree knows more hashes. */
  onhashes(now: number): DownloadEffect[]
}

/**
 * What happens between a download and its peers: channels, streams, refusals, silence and lies.
 *
 * A peer that sends something wrong, or something that it was not asked for, is dropped and never asked again.
 * Calls are made only while the download runs.
 */
export class PeerPlan {
  readonly #host: PeerPlanHost
  readonly #sources: SourceList
  readonly #requests: BlockRequests
  readonly #limits: DownloadLimits

  constructor(host: PeerPlanHost) {
    this.#host = host
    this.#sources = host.sources
    this.#requests = host.requests
    this.#limits = host.limits
  }

  /** Peers that may have it. Those who ask us for a large content may bring what they get of others. */
  found(peers: readonly PeerAddress[], now: number, asksUs: boolean): DownloadEffect[] {
    if (!asksUs) this.#sources.found(peers)
    else if ((this.#requests.tree?.blockCount ?? 0) < this.#limits.swarmBlocks) return []
    else for (const peer of peers) this.#sources.asks(peer)
    return this.#connectMore(now)
  }

  /** What `connected` will ask of a peer first, as far as that can be told while it is being connected to. */
  early(peer: PeerAddress): EarlyOpen | undefined {
    const source = this.#sources.get(peer)
    const run = source?.state === 'connecting' ? this.#requests.early(source) : undefined
    return run && { fullHash: this.#host.fullHash, first: run[0], count: run[1] }
  }

  /** The channel to a peer is open; `stream` is the number to use on it. Asks for blocks in the same breath. */
  connected(peer: PeerAddress, stream: number, now: number): DownloadEffect[] {
    const source = this.#sources.get(peer)
    if (source?.state !== 'connecting') return []
    source.state = 'connected'
    source.stream = stream
    source.heardAt = now
    const [open = [0, 0] as const, ...more] = this.#requests.first(source, now)
    const [first, count] = open
    const messages = [
      { type: 'open', stream, fullHash: this.#host.fullHash, first, count } as const,
      ...more.map(
        run => ({ type: 'request', stream, first: run[0], count: run[1], level: ROOT_LEVEL }) as const
      )
    ]
    return messages.map(message => ({ type: 'send', peer, message }))
  }

  /** No channel to this peer could be opened, or it closed. */
  gone(peer: PeerAddress, reason: string, now: number): DownloadEffect[] {
    const source = this.#sources.get(peer)
    if (source?.state !== 'connecting' && source?.state !== 'connected') return []
    return this.#lose(source, reason, now)
  }

  /** It may be that nothing gets through to this peer any more: others are asked for what it owes. */
  suspected(peer: PeerAddress, now: number): DownloadEffect[] {
    const source = this.#sources.get(peer)
    if (source?.state !== 'connected' || source.stalled) return []
    this.#requests.stall(source)
    return this.#requests.toAll(now, source)
  }

  /** Another channel to this peer takes the place of the one that there was: it is asked anew on that one, at once. */
  moved(peer: PeerAddress, now: number): DownloadEffect[] {
    const source = this.#sources.get(peer)
    if (source?.state !== 'connected') return []
    this.#requests.forget(source)
    source.moved()
    return [{ type: 'connect', peer: source.address }, ...this.#requests.toAll(now)]
  }

  /** No channel to this peer can be opened now, which is no fault of its own. */
  postponed(peer: PeerAddress, reason: string, now: number): DownloadEffect[] {
    const source = this.#sources.get(peer)
    if (source?.state !== 'connecting') return []
    this.#requests.forget(source)
    source.postponed(reason, this.#limits, now)
    return this.#requests.toAll(now)
  }

  /** When a peer last sent blocks of anything: it serves one thing after the other, and is not silent meanwhile. */
  heard(peer: PeerAddress, at: number): void {
    const source = this.#sources.get(peer)
    if (source?.state === 'connected') source.heardAt = Math.max(source.heardAt, at)
  }

  /** A message from a peer on the stream of this download. */
  receive(peer: PeerAddress, message: ServerMessage, now: number): DownloadEffect[] {
    const source = this.#sources.get(peer)
    if (source?.state !== 'connected') return []
    if (message.type === 'header') return this.#header(source, message, now)
    if (message.type === 'reject' && message.count === 0) return this.#refused(source, message.reason, now)
    if (!source.proved) return this.#drop(source, 'sent something before the header', now)
    if (message.type === 'reject') return this.#rejected(source, message, now)
    if (message.type === 'data') return this.#data(source, message, now)
    if (message.type === 'hashes') {
      if (this.#requests.proved(source, message)) return this.#host.onhashes(now)
      return this.#drop(source, 'sent wrong hashes', now)
    }
    if (this.#requests.learned(source, message.runs)) return this.#requests.leaveToSwarm(source, now)
    return this.#drop(source, 'claims blocks that do not exist, or the same twice', now)
  }

  /** A peer broke the rules of the channel itself. */
  accuse(peer: PeerAddress, reason: string, now: number): DownloadEffect[] {
    const source = this.#sources.get(peer)
    return source !== undefined ? this.#drop(source, reason, now) : []
  }

  /** What has fallen due with the peers that there are. */
  checkAll(now: number): DownloadEffect[] {
    return [...this.#sources].flatMap(source => this.#checkSilence(source, now))
  }

  /** Whom to part with and whom to try. */
  seekMore(now: number): DownloadEffect[] {
    const parted = this.#sources.useless(now).flatMap(source => {
      const reason = source.idle ? 'has nothing of it' : 'is too slow'
      return [...this.#closeStream(source), ...this.#lose(source, reason, now)]
    })
    return [...parted, ...this.#connectMore(now)]
  }

  /** The download is over. */
  closeAll(): DownloadEffect[] {
    return [...this.#sources].flatMap(source => this.#closeStream(source))
  }

  #header(source: Source, header: Header, now: number): DownloadEffect[] {
    if (source.proved) return this.#drop(source, 'sent a second header', now)
    if (fullHashOf(header.piecesRoot, header.length, this.#host.hasher) !== this.#host.fullHash) {
      return this.#drop(source, 'sent a wrong root or length', now)
    }
    source.proved = true
    source.complete = header.complete
    source.heardAt = now
    return this.#host.onproved(header, now)
  }

  #data(source: Source, data: Data, now: number): DownloadEffect[] {
    const blocks = this.#requests.received(source, data, now)
    if (typeof blocks === 'string') return this.#drop(source, blocks, now)
    const hash: DownloadEffect[] = blocks.fresh.length > 0 ? [{ type: 'hash', blocks }] : []
    return [...hash, ...this.#requests.to(source, now)]
  }

  #rejected(source: Source, reject: Reject, now: number): DownloadEffect[] {
    const { reason } = reject
    source.heardAt = now
    const { isOwed, isBlind, exists } = this.#requests.rejected(source, reject)
    // What was asked for without knowing the length, or what a peer has, may be missing there.
    const isMissing = reason === 'not_held'
    if (isMissing && isBlind) return this.#requests.toAll(now)
    if (isMissing && exists && source.complete) {
      return this.#drop(source, 'does not send what it says that it has', now)
    }
    // What was taken back is refused as it was asked to be.
    const counts = isOwed || (reason !== 'cancelled' && exists)
    if (counts && !source.refused()) {
      return [...this.#closeStream(source), ...this.#lose(source, 'refuses', now)]
    }
    if (reason === 'busy' && source.owed.size === 0) {
      return [...this.#closeStream(source), ...this.#refused(source, 'busy', now)]
    }
    // Who has just refused is not asked again in the same breath.
    return this.#requests.toAll(now, reason === 'cancelled' ? undefined : source)
  }

  #checkSilence(source: Source, now: number): DownloadEffect[] {
    if (!source.owes) return []
    const silentMs = now - source.heardAt
    if (silentMs >= this.#limits.silentMs) {
      const drop = { peer: source.address, reason: 'fell silent', lied: false }
      return [{ type: 'drop', ...drop }, ...this.#lose(source, 'fell silent', now)]
    }
    if (silentMs >= this.#limits.stallMs && !source.stalled) {
      this.#requests.stall(source)
    }
    return []
  }

  #drop(source: Source, reason: string, now: number): DownloadEffect[] {
    if (source.state === 'dropped') return this.#requests.toAll(now)
    this.#requests.forget(source)
    source.dropped(reason)
    this.#sources.lost(now)
    const drop = { type: 'drop', peer: source.address, reason, lied: true } as const
    return [drop, ...this.#requests.toAll(now), ...this.#connectMore(now)]
  }

  #refused(source: Source, reason: RejectReason, now: number): DownloadEffect[] {
    if (reason !== 'busy') return this.#lose(source, reason, now)
    this.#requests.forget(source)
    source.postponed(reason, this.#limits, now)
    return [...this.#requests.toAll(now), ...this.#connectMore(now)]
  }

  #lose(source: Source, reason: string, now: number): DownloadEffect[] {
    this.#requests.forget(source)
    source.failed(reason, this.#limits, now)
    this.#sources.lost(now)
    return [...this.#requests.toAll(now), ...this.#connectMore(now)]
  }

  #connectMore(now: number): DownloadEffect[] {
    if (!this.#host.mayConnect(now)) return []
    return this.#sources.candidates(now).map(({ address }) => ({ type: 'connect', peer: address }))
  }

  #closeStream({ address, stream, state }: Source): DownloadEffect[] {
    if (stream === undefined || state !== 'connected') return []
    return [{ type: 'send', peer: address, message: { type: 'close', stream } }]
  }
}
