import type { FullHash, JsonValue, MediatorId, PeerId } from '@mayfly/common'
import { expect } from 'chai'
import { unavailableConnector } from '../src/adapters/unavailable-connector.js'
import { Channels } from '../src/channels.js'
import { ChannelWorld, rejection, type Person } from './channel-world.js'
import { settle } from './manual-clock.js'

const OTHER_MEDIATOR = 'b'.repeat(64) as MediatorId

describe('channels', () => {
  it('open between two peers, once on each side', async () => {
    const world = new ChannelWorld()
    const [alice, bob] = [world.join('1'), world.join('2')]
    const channel = await alice.channels.open(bob.address)
    await settle()
    expect(alice.opened.map(opened => opened.initiator)).to.deep.equal(['us'])
    expect(bob.opened.map(opened => opened.initiator)).to.deep.equal(['them'])
    expect(alice.opened[0]?.channel).to.equal(channel)
    expect(channel.remote).to.deep.equal(bob.address)
    expect(alice.channels.connected()).to.deep.equal([bob.address])
    expect(bob.channels.connected()).to.deep.equal([alice.address])
  })

  it('carry messages both ways', async () => {
    const world = new ChannelWorld()
    const [alice, bob] = [world.join('1'), world.join('2')]
    const channel = await alice.channels.open(bob.address)
    channel.send(new Uint8Array([1, 2]))
    channel.send(new Uint8Array([3]))
    await settle()
    bob.opened[0]?.channel.send(new Uint8Array([4]))
    await settle()
    expect(bob.opened[0]?.received).to.deep.equal([1, 2, 3])
    expect(alice.opened[0]?.received).to.deep.equal([4])
  })

  it('keep messages that come before someone listens', async () => {
    const world = new ChannelWorld()
    const [alice, bob] = [world.join('1'), world.join('2')]
    const channel = await alice.channels.open(bob.address)
    await settle()
    const remote = bob.opened[0]
    if (remote === undefined) throw new Error('not opened')
    remote.channel.onmessage = undefined
    channel.send(new Uint8Array([1]))
    channel.send(new Uint8Array([2]))
    await settle()
    remote.channel.onmessage = message => void remote.received.push(...message)
    channel.send(new Uint8Array([3]))
    await settle()
    expect(remote.received).to.deep.equal([1, 2, 3])
  })

  it('are one for all who ask for the same peer', async () => {
    const world = new ChannelWorld()
    const [alice, bob] = [world.join('1'), world.join('2')]
    const both = await Promise.all([alice.channels.open(bob.address), alice.channels.open(bob.address)])
    expect(both[0]).to.equal(both[1])
    expect(await alice.channels.open(bob.address)).to.equal(both[0])
    await settle()
    const back = await bob.channels.open(alice.address)
    expect(back).to.equal(bob.opened[0]?.channel)
    expect([alice.opened.length, bob.opened.length]).to.deep.equal([1, 1])
  })

  it('name the full hash that they are first wanted for in the offer', async () => {
    const world = new ChannelWorld()
    const [alice, bob] = [world.join('1'), world.join('2')]
    const fullHash = 'c'.repeat(64) as FullHash
    await alice.channels.open(bob.address, fullHash)
    expect(alice.sent[0]?.fullHash).to.equal(fullHash)
    expect(alice.sent.slice(1).map(sent => sent.fullHash)).to.not.include(fullHash)
  })

  for (const [first, second] of [
    ['1', '2'],
    ['2', '1']
  ] as const) {
    it(`are one when both sides offer at the same time (${first} asks before ${second})`, async () => {
      const world = new ChannelWorld()
      const [alice, bob] = [world.join(first), world.join(second)]
      const [ours, theirs] = await Promise.all([
        alice.channels.open(bob.address),
        bob.channels.open(alice.address)
      ])
      await settle()
      expect([alice.opened.length, bob.opened.length]).to.deep.equal([1, 1])
      expect(alice.opened[0]?.initiator).to.equal(first === '1' ? 'us' : 'them')
      expect(bob.opened[0]?.initiator).to.equal(first === '1' ? 'them' : 'us')
      ours.send(new Uint8Array([1]))
      theirs.send(new Uint8Array([2]))
      await settle()
      expect(alice.opened[0]?.received).to.deep.equal([2])
      expect(bob.opened[0]?.received).to.deep.equal([1])
      await world.clock.advance(60_000)
      expect([alice.opened[0]?.closeReason, bob.opened[0]?.closeReason]).to.deep.equal([undefined, undefined])
    })
  }

  it('offer what was prepared before another connection is made', async () => {
    const world = new ChannelWorld()
    const [alice, bob, charlie] = [world.join('1'), world.join('2'), world.join('3')]
    alice.channels.prepare()
    await settle()
    const sentBefore: number[] = []
    const both = [bob, charlie].map(({ address }) => {
      sentBefore.push(alice.sent.length)
      return alice.channels.open(address)
    })
    expect(sentBefore).to.deep.equal([0, 1])
    await Promise.all(both)
  })

  it('leave no timer behind once they are open but one per peer, and none once they are closed', async () => {
    const world = new ChannelWorld()
    const [alice, bob, charlie] = [world.join('1'), world.join('2'), world.join('3')]
    const toBob = await alice.channels.open(bob.address)
    const toCharlie = await alice.channels.open(charlie.address)
    await settle()
    expect(world.clock.pending).to.equal(3)
    toBob.close('enough')
    toCharlie.close('enough')
    await settle()
    expect(world.clock.pending).to.equal(0)
  })

  it('can be opened again after either side closed', async () => {
    const world = new ChannelWorld()
    const [alice, bob] = [world.join('1'), world.join('2')]
    const channel = await alice.channels.open(bob.address)
    channel.close('enough')
    expect(channel.closed).to.equal(true)
    const again = await alice.channels.open(bob.address)
    expect(again).to.not.equal(channel)
    await settle()
    expect(bob.opened).to.have.length(2)
    expect(bob.opened[0]?.closeReason).to.be.a('string')
    expect(bob.channels.connected()).to.deep.equal([alice.address])
    expect(alice.opened[0]?.closeReason).to.equal('enough')
  })

  it('take the place of one that only the other side lost, once they are open', async () => {
    const world = new ChannelWorld()
    const alice = world.join('1')
    const bob = world.join('2')
    await alice.channels.open(bob.address)
    await settle()
    // Alice's page was restored: a new session of the same address, which knows no channel.
    const restored = world.join('1')
    world.network.reachable = false
    const failed = rejection(restored.channels.open(bob.address))
    await world.clock.advance(10_000)
    await failed
    expect(bob.opened[0]?.closeReason).to.equal(undefined)
    world.network.reachable = true
    await restored.channels.open(bob.address)
    await settle()
    expect(bob.opened[0]?.closeReason).to.equal('another channel took its place')
    expect(bob.opened[1]?.closeReason).to.equal(undefined)
    expect(bob.channels.connected()).to.deep.equal([alice.address])
  })

  it('stay when the peer moved to another mediator', async () => {
    const world = new ChannelWorld()
    const [alice, bob] = [world.join('1'), world.join('2')]
    const channel = await alice.channels.open(bob.address)
    const moved = { peerId: bob.address.peerId, mediatorId: OTHER_MEDIATOR }
    expect(await alice.channels.open(moved)).to.equal(channel)
    expect(channel.remote).to.deep.equal(moved)
    expect(alice.channels.connected()).to.deep.equal([moved])
  })

  it('are not ended by someone who took the peer id at another mediator', async () => {
    const world = new ChannelWorld()
    const [alice, bob] = [world.join('1'), world.join('2')]
    await alice.channels.open(bob.address)
    const impostor = world.join('2', { mediatorId: OTHER_MEDIATOR })
    await impostor.channels.open(alice.address)
    await settle()
    expect(alice.opened[0]?.closeReason).to.equal(undefined)
    expect(alice.channels.connected()).to.deep.equal([bob.address, impostor.address])
  })
})

describe('channels that do not open', () => {
  it('are given up when nobody answers', async () => {
    const world = new ChannelWorld()
    world.pass = () => 'lose'
    const [alice, bob] = [world.join('1'), world.join('2')]
    const failed = rejection(alice.channels.open(bob.address))
    await world.clock.advance(5_000)
    expect(await failed).to.equal('the peer did not answer in time')
    expect(world.clock.pending).to.equal(0)
  })

  it('are given up on both sides when ICE finds no way', async () => {
    const world = new ChannelWorld()
    world.network.reachable = false
    const [alice, bob] = [world.join('1'), world.join('2')]
    const failed = rejection(alice.channels.open(bob.address))
    await world.clock.advance(10_000)
    expect(await failed).to.equal('the peer could not be connected to in time')
    expect([alice.opened.length, bob.opened.length]).to.deep.equal([0, 0])
    expect(world.clock.pending).to.equal(0)
  })

  it('fail at once when no mediator can pass the offer on', async () => {
    const world = new ChannelWorld()
    world.pass = () => 'refuse'
    const [alice, bob] = [world.join('1'), world.join('2')]
    expect(await rejection(alice.channels.open(bob.address))).to.equal(
      'no mediator could pass the signals on'
    )
  })

  it('fail at once when the mediator says that the peer is unreachable', async () => {
    const world = new ChannelWorld()
    world.pass = () => 'lose'
    const [alice, bob] = [world.join('1'), world.join('2')]
    const failed = rejection(alice.channels.open(bob.address))
    await settle()
    alice.channels.unreachable(bob.address.peerId)
    expect(await failed).to.equal('the peer is not there any more')
  })

  it('fail where there is no WebRTC', async () => {
    const world = new ChannelWorld()
    const bob = world.join('2')
    const channels = new Channels(
      { peerId: '1'.repeat(40) as PeerId, connector: unavailableConnector('no WebRTC here') },
      { onchannel() {}, onsignal: () => true }
    )
    expect(await rejection(channels.open(bob.address))).to.equal('no WebRTC here')
  })

  it('fail when the session closes, and later ones do', async () => {
    const world = new ChannelWorld()
    world.pass = () => 'lose'
    const [alice, bob] = [world.join('1'), world.join('2')]
    const failed = rejection(alice.channels.open(bob.address))
    alice.channels.close('the session is closed')
    expect(await failed).to.equal('the session is closed')
    expect(await rejection(alice.channels.open(bob.address))).to.equal('the session is closed')
    expect(world.clock.pending).to.equal(0)
  })

  it('can be tried again', async () => {
    const world = new ChannelWorld()
    world.pass = () => 'lose'
    const [alice, bob] = [world.join('1'), world.join('2')]
    const failed = rejection(alice.channels.open(bob.address))
    await world.clock.advance(5_000)
    await failed
    world.pass = () => 'deliver'
    await alice.channels.open(bob.address)
    await settle()
    expect([alice.opened.length, bob.opened.length]).to.deep.equal([1, 1])
  })
})

describe('channels that nobody uses', () => {
  it('are closed after two minutes on both sides', async () => {
    const world = new ChannelWorld()
    const [alice, bob] = [world.join('1'), world.join('2')]
    const channel = await alice.channels.open(bob.address)
    await world.clock.advance(119_999)
    expect(channel.closed).to.equal(false)
    await world.clock.advance(1)
    expect(alice.opened[0]?.closeReason).to.equal('nobody used the channel')
    expect(bob.channels.connected()).to.deep.equal([])
    expect(world.clock.pending).to.equal(0)
    await alice.channels.open(bob.address)
  })

  it('stay for two minutes more after each use: wanted again, a message either way, the end of something', async () => {
    const uses: ((alice: Person, bob: Person) => void)[] = [
      (alice, bob) => void alice.channels.open(bob.address),
      alice => alice.opened[0]?.channel.send(new Uint8Array(1)),
      (_, bob) => bob.opened[0]?.channel.send(new Uint8Array(1)),
      alice => alice.channels.setBusy(alice.opened[0]!.channel, false)
    ]
    for (const use of uses) {
      const world = new ChannelWorld()
      const alice = world.join('1')
      // Bob's own time to close is not in question here.
      const bob = world.join('2', { limits: { idleMs: 1_000_000 } })
      const channel = await alice.channels.open(bob.address)
      await world.clock.advance(100_000)
      use(alice, bob)
      await world.clock.advance(119_999)
      expect(channel.closed).to.equal(false)
      await world.clock.advance(1)
      expect(channel.closed).to.equal(true)
    }
  })

  it('are not those on which something is under way, however silent', async () => {
    const world = new ChannelWorld()
    const alice = world.join('1')
    const bob = world.join('2', { limits: { idleMs: 1_000_000 } })
    const channel = await alice.channels.open(bob.address)
    alice.channels.setBusy(channel, true)
    await world.clock.advance(900_000)
    expect(channel.closed).to.equal(false)
    alice.channels.setBusy(channel, false)
    await world.clock.advance(120_000)
    expect(channel.closed).to.equal(true)
  })

  it('are closed one by one', async () => {
    const world = new ChannelWorld()
    const [alice, bob, charlie] = [world.join('1'), world.join('2'), world.join('3')]
    await alice.channels.open(bob.address)
    await world.clock.advance(70_000)
    await alice.channels.open(charlie.address)
    await world.clock.advance(50_000)
    expect(alice.channels.connected()).to.deep.equal([charlie.address])
    await world.clock.advance(70_000)
    expect(alice.channels.connected()).to.deep.equal([])
  })
})

describe('the bounds of channels', () => {
  it('make room by closing the idle channel that was used least recently', async () => {
    const world = new ChannelWorld()
    const alice = world.join('1', { limits: { connections: 2 } })
    const [bob, charlie, dave] = [world.join('2'), world.join('3'), world.join('4')]
    const toBob = await alice.channels.open(bob.address)
    await world.clock.advance(1)
    const toCharlie = await alice.channels.open(charlie.address)
    await world.clock.advance(1)
    await alice.channels.open(bob.address)
    await alice.channels.open(dave.address)
    expect([toBob.closed, toCharlie.closed]).to.deep.equal([false, true])
  })

  it('keep busy channels and refuse more', async () => {
    const world = new ChannelWorld()
    const alice = world.join('1', { limits: { connections: 1 } })
    const [bob, charlie] = [world.join('2'), world.join('3')]
    const toBob = await alice.channels.open(bob.address)
    alice.channels.setBusy(toBob, true)
    expect(await rejection(alice.channels.open(charlie.address))).to.equal(
      'all connections to other peers are busy'
    )
    expect(await rejection(charlie.channels.open(alice.address))).to.equal('the peer refused the connection')
    alice.channels.setBusy(toBob, false)
    await charlie.channels.open(alice.address)
    expect(toBob.closed).to.equal(true)
  })

  it('never let attempts of others end an attempt of ours', async () => {
    const world = new ChannelWorld()
    const alice = world.join('1', { limits: { connections: 1 } })
    const [bob, charlie] = [world.join('2'), world.join('3')]
    world.pass = (_, to) => (to === bob.address ? 'lose' : 'deliver')
    const ours = rejection(alice.channels.open(bob.address))
    expect(await rejection(charlie.channels.open(alice.address))).to.equal('the peer refused the connection')
    await world.clock.advance(5_000)
    expect(await ours).to.equal('the peer did not answer in time')
  })

  it('let few attempts of others wait at a time', async () => {
    const world = new ChannelWorld()
    world.network.reachable = false
    const alice = world.join('1', { limits: { inboundAttempts: 1 } })
    const [bob, charlie] = [world.join('2'), world.join('3')]
    const first = rejection(bob.channels.open(alice.address))
    await settle()
    expect(await rejection(charlie.channels.open(alice.address))).to.equal('the peer refused the connection')
    await world.clock.advance(10_000)
    await first
  })

  it('look at few offers of one peer per minute', async () => {
    const world = new ChannelWorld()
    const alice = world.join('1', { limits: { offersPerMinute: 2 } })
    const bob = world.join('2')
    for (let i = 0; i < 2; i++) (await bob.channels.open(alice.address)).close('and again')
    const refused = rejection(bob.channels.open(alice.address))
    await world.clock.advance(5_000)
    expect(await refused).to.equal('the peer did not answer in time')
    await world.clock.advance(60_000)
    await bob.channels.open(alice.address)
  })
})

describe('signals that do not belong', () => {
  it('are ignored when they are malformed or of an unknown attempt', async () => {
    const world = new ChannelWorld()
    const [alice, bob] = [world.join('1'), world.join('2')]
    const channel = await alice.channels.open(bob.address)
    const unknown = { version: 1, connection: '0'.repeat(16), signals: [], closed: true }
    for (const data of [null, 7, 'x', [], {}, { version: 2 }, unknown] as JsonValue[]) {
      alice.channels.receive(bob.address, data)
    }
    await settle()
    expect(channel.closed).to.equal(false)
  })

  it('cannot start a renegotiation of an open channel', async () => {
    const world = new ChannelWorld()
    const [alice, bob] = [world.join('1'), world.join('2')]
    const channel = await alice.channels.open(bob.address)
    await settle()
    const offer = alice.sent[0]?.data
    if (offer === undefined) throw new Error('no offer')
    bob.channels.receive(alice.address, offer)
    await settle()
    expect([channel.closed, bob.opened.length]).to.deep.equal([false, 1])
  })
})
