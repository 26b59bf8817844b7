import type { FullHash, JsonValue, MediatorId, PeerAddress, PeerId } from '@mayfly/common'
import { MemoryNetwork } from '../src/adapters/memory-connector.js'
import { Channels } from '../src/channels.js'
import type { ChannelLimits } from '../src/core/channel-limits.js'
import type { Channel } from '../src/ports/channel.js'
import { ManualClock } from './manual-clock.js'
import { observed } from './observed-connector.js'

const MEDIATOR = 'a'.repeat(64) as MediatorId

/** A channel that somebody has, and what came of it. */
export interface Opened {
  readonly channel: Channel
  readonly initiator: 'us' | 'them'
  readonly received: number[]
  closeReason?: string
}

/** A peer of a `ChannelWorld`. */
export interface Person {
  readonly address: PeerAddress
  readonly channels: Channels
  readonly opened: Opened[]
  /** Channels that another took the place of. */
  readonly moved: Channel[]
  /** The most connections that it has had at a time. */
  most: number
  readonly sent: { to: PeerAddress; data: JsonValue; fullHash: FullHash | undefined }[]
}

/** People whose signals are passed on at once, unless `pass` says otherwise. */
export class ChannelWorld {
  readonly clock = new ManualClock()
  readonly network = new MemoryNetwork()
  pass: (from: PeerAddress, to: PeerAddress) => 'deliver' | 'lose' | 'refuse' = () => 'deliver'
  readonly #people: Person[] = []

  join(digit: string, options: { mediatorId?: MediatorId; limits?: Partial<ChannelLimits> } = {}): Person {
    const address = { peerId: digit.repeat(40) as PeerId, mediatorId: options.mediatorId ?? MEDIATOR }
    const opened: Opened[] = []
    const sent: Person['sent'] = []
    const moved: Channel[] = []
    const onconnections = (count: number): void => void (person.most = Math.max(person.most, count))
    const channels = new Channels(
      {
        peerId: address.peerId,
        connector: observed(this.network.connector(), this.clock, { onconnections }),
        clock: this.clock,
        ...(options.limits === undefined ? {} : { limits: options.limits })
      },
      {
        onmoved: channel => void moved.push(channel),
        onchannel: (channel, initiator) => void opened.push(watch(channel, initiator)),
        onsignal: (to, data, fullHash) => {
          sent.push({ to, data, fullHash })
          return this.#carry(address, to, data)
        }
      }
    )
    channels.mediatorId = address.mediatorId
    const person: Person = { address, channels, opened, sent, moved, most: 0 }
    this.#people.push(person)
    return person
  }

  #carry(from: PeerAddress, to: PeerAddress, data: JsonValue): boolean {
    const verdict = this.pass(from, to)
    if (verdict === 'refuse') return false
    const copy = JSON.parse(JSON.stringify(data)) as JsonValue
    const receiver = this.#people.findLast(
      person => person.address.peerId === to.peerId && person.address.mediatorId === to.mediatorId
    )
    if (verdict === 'deliver') setImmediate(() => receiver?.channels.receive(from, copy))
    return true
  }
}

function watch(channel: Channel, initiator: 'us' | 'them'): Opened {
  const opened: Opened = { channel, initiator, received: [] }
  channel.onmessage = message => void opened.received.push(...message)
  channel.onclose = reason => void (opened.closeReason = reason)
  return opened
}

/** What it rejects with; throws where it does not. */
export async function rejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  throw new Error('did not reject')
}
