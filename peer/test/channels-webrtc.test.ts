import type { JsonValue, MediatorId, PeerAddress, PeerId } from '@mayfly/common'
import { expect } from 'chai'
import { nodeConnector } from '../src/adapters/node-connector.js'
import { Channels } from '../src/channels.js'
import type { Channel } from '../src/ports/channel.js'
import type { Connector } from '../src/ports/connector.js'
import { until } from './until.js'

const addressOf = (digit: string): PeerAddress => {
  return { peerId: digit.repeat(40) as PeerId, mediatorId: 'a'.repeat(64) as MediatorId }
}

describe('channels over WebRTC in Node.js', () => {
  const all: Channels[] = []
  let connector: Connector

  before(async () => {
    connector = await nodeConnector()
  })

  afterEach(() => {
    for (const channels of all.splice(0)) channels.close('the test is over')
  })

  function pair() {
    const [alice, bob] = [addressOf('1'), addressOf('2')]
    const opened = { alice: [] as Channel[], bob: [] as Channel[] }
    const signals: JsonValue[] = []
    const connect = (self: PeerAddress, mine: Channel[], other: () => Channels): Channels => {
      const channels = new Channels(
        { peerId: self.peerId, connector },
        {
          onchannel: channel => void mine.push(channel),
          onsignal(_, data) {
            signals.push(data)
            setImmediate(() => other().receive(self, JSON.parse(JSON.stringify(data)) as JsonValue))
            return true
          }
        }
      )
      all.push(channels)
      return channels
    }
    const ofAlice: Channels = connect(alice, opened.alice, () => ofBob)
    const ofBob: Channels = connect(bob, opened.bob, () => ofAlice)
    return { alice, bob, ofAlice, ofBob, opened, signals }
  }

  it('are one when both sides offer at the same time, and carry messages', async () => {
    const { alice, bob, ofAlice, ofBob, opened } = pair()
    const [toBob, toAlice] = await Promise.all([ofAlice.open(bob), ofBob.open(alice)])
    const received: number[] = []
    toAlice.onmessage = message => void received.push(...message)
    toBob.send(new Uint8Array([1, 2, 3]))
    await until(() => received.length === 3)
    expect([opened.alice.length, opened.bob.length]).to.deep.equal([1, 1])
  })

  it('open with few signals', async () => {
    const { bob, ofAlice, opened, signals } = pair()
    await ofAlice.open(bob)
    await until(() => opened.bob.length === 1)
    // On each side: the description, two candidates at once, and the others together.
    expect(signals.length).to.be.at.most(8)
  })

  it('are replaced while they are in use when the network changes, on both sides at once', async () => {
    const { alice, bob, ofAlice, ofBob, opened } = pair()
    const old = await ofAlice.open(bob)
    await until(() => opened.bob.length === 1)
    ofAlice.setBusy(old, true)
    ofBob.setBusy(opened.bob[0]!, true)
    ofAlice.networkChanged()
    ofBob.networkChanged()
    await until(() => opened.alice.length === 2 && opened.bob.length === 2)
    await until(() => old.closed && opened.bob[0]!.closed)
    const received: number[] = []
    const [toBob, toAlice] = [await ofAlice.open(bob), await ofBob.open(alice)]
    toAlice.onmessage = message => void received.push(...message)
    toBob.send(new Uint8Array([1, 2, 3]))
    await until(() => received.length === 3)
    expect([opened.alice.length, opened.bob.length]).to.deep.equal([2, 2])
  })

  it('open again after one side closed', async () => {
    const { bob, ofAlice, opened } = pair()
    const first = await ofAlice.open(bob)
    await until(() => opened.bob.length === 1)
    first.close('enough')
    await ofAlice.open(bob)
    await until(() => opened.bob.length === 2)
    await until(() => opened.bob.some(channel => channel.closed))
    expect(opened.bob[1]?.closed).to.equal(false)
  })
})
