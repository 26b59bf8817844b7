import { expect } from 'chai'
import type { Channel } from '../src/ports/channel.js'
import { ChannelWorld, type Person } from './channel-world.js'
import { settle } from './manual-clock.js'

/** Two people with a channel on which something is under way on both sides. */
async function busyPair(
  world: ChannelWorld,
  [first, second]: readonly [string, string] = ['1', '2']
): Promise<readonly [Person, Person]> {
  const pair = [world.join(first), world.join(second)] as const
  await pair[0].channels.open(pair[1].address)
  await settle()
  for (const { channels, opened } of pair) channels.setBusy(opened[0]!.channel, true)
  return pair
}

/** Whether exactly one channel is left on each side, and carries messages both ways. */
async function expectOneThatWorks(alice: Person, bob: Person): Promise<void> {
  const left = [alice, bob].map(({ opened }) => opened.filter(({ channel }) => !channel.closed))
  expect(left.map(({ length }) => length)).to.deep.equal([1, 1])
  const [ours, theirs] = left.map(([only]) => only!)
  ours!.channel.send(new Uint8Array([7]))
  theirs!.channel.send(new Uint8Array([8]))
  await settle()
  expect([theirs!.received.at(-1), ours!.received.at(-1)]).to.deep.equal([7, 8])
}

const channelsOf = ({ opened }: Person): Channel[] => opened.map(({ channel }) => channel)

describe('a suspect channel', () => {
  let world: ChannelWorld

  beforeEach(() => (world = new ChannelWorld()))

  it('is replaced at once by a second one beside it, and closes when that is open', async () => {
    const [alice, bob] = await busyPair(world)
    const before = await alice.channels.open(bob.address)
    world.network.cut(isInitiator => isInitiator)
    await settle()
    expect(alice.moved).to.deep.equal([before])
    expect(alice.opened[0]?.closeReason).to.equal('another channel took its place')
    expect(await alice.channels.open(bob.address)).to.equal(alice.opened[1]?.channel)
    await expectOneThatWorks(alice, bob)
    expect([alice.most, bob.most]).to.deep.equal([2, 2])
  })

  it('is replaced by whichever side finds out', async () => {
    const [alice, bob] = await busyPair(world)
    world.network.cut(isInitiator => !isInitiator)
    await settle()
    expect(bob.opened[1]?.initiator).to.equal('us')
    await expectOneThatWorks(alice, bob)
  })

  for (const order of [
    ['1', '2'],
    ['2', '1']
  ] as const) {
    it(`is replaced by one only when both sides find out at once (${order.join(' called ')})`, async () => {
      const [alice, bob] = await busyPair(world, order)
      world.network.cut()
      await settle()
      expect([alice.opened.length, bob.opened.length]).to.deep.equal([2, 2])
      expect(alice.opened[1]?.initiator).to.equal(order[0] === '1' ? 'us' : 'them')
      await expectOneThatWorks(alice, bob)
      await world.clock.advance(60_000)
      await expectOneThatWorks(alice, bob)
    })
  }

  it('stays when it recovers before the other side has answered', async () => {
    const [alice, bob] = await busyPair(world)
    const before = [...channelsOf(alice), ...channelsOf(bob)]
    world.pass = () => 'lose'
    world.network.cut()
    await world.clock.advance(100)
    world.pass = () => 'deliver'
    world.network.heal()
    await world.clock.advance(60_000)
    expect([...channelsOf(alice), ...channelsOf(bob)]).to.deep.equal(before)
    await expectOneThatWorks(alice, bob)
  })

  it('that recovers tells the other side to forget the second one', async () => {
    const [alice, bob] = await busyPair(world)
    world.network.reachable = false
    world.pass = (from, to) => (from === bob.address && to === alice.address ? 'lose' : 'deliver')
    world.network.cut(isInitiator => isInitiator)
    await world.clock.advance(100)
    expect(bob.most).to.equal(2)
    world.network.heal()
    await settle()
    world.network.reachable = true
    await bob.channels.open(alice.address)
    expect(world.clock.pending).to.equal(2)
    await expectOneThatWorks(alice, bob)
  })

  it('keeps what is sent while it recovers', async () => {
    const [alice, bob] = await busyPair(world)
    world.pass = () => 'lose'
    world.network.cut()
    await settle()
    alice.opened[0]?.channel.send(new Uint8Array([1, 2]))
    await world.clock.advance(100)
    expect(bob.opened[0]?.received).to.deep.equal([])
    world.network.heal()
    await settle()
    expect(bob.opened[0]?.received).to.deep.equal([1, 2])
  })

  it('on which nothing is under way is left alone until something is', async () => {
    const [alice, bob] = await busyPair(world)
    for (const { channels, opened } of [alice, bob]) channels.setBusy(opened[0]!.channel, false)
    world.network.cut()
    await world.clock.advance(1_000)
    expect([alice.opened.length, alice.most]).to.deep.equal([1, 1])
    alice.channels.setBusy(alice.opened[0]!.channel, true)
    await settle()
    expect(alice.opened.length).to.equal(2)
    await expectOneThatWorks(alice, bob)
  })

  it('is tried to replace again when signals do not pass, a little later each time, and at once when they do', async () => {
    const [alice, bob] = await busyPair(world)
    const begun: number[] = []
    world.pass = from => {
      if (from === alice.address) begun.push(world.clock.now())
      return 'refuse'
    }
    world.network.cut(isInitiator => isInitiator)
    await world.clock.advance(1_000)
    expect(begun).to.deep.equal([0, 250, 750])
    world.pass = () => 'deliver'
    alice.channels.signalsPass()
    await settle()
    await expectOneThatWorks(alice, bob)
  })

  it('is replaced no more often than its peer looks at offers', async () => {
    const [alice, bob] = await busyPair(world)
    const offers = (): number =>
      alice.sent.filter(({ data }) => JSON.stringify(data).includes('offer')).length
    world.pass = () => 'lose'
    for (let time = 0; time < 50; time++) {
      world.network.cut()
      await world.clock.advance(20)
      world.network.heal()
      await world.clock.advance(20)
    }
    expect(offers()).to.be.within(2, 7)
    await expectOneThatWorks(alice, bob)
  })

  it('gives its place to the second one when a peer that knows no such thing closes it for the offer', async () => {
    const [alice, bob] = await busyPair(world)
    world.pass = from => {
      if (from === alice.address) bob.opened[0]?.channel.close('the peer connected anew')
      return 'deliver'
    }
    alice.channels.networkChanged()
    await settle()
    expect(alice.opened[0]?.closeReason).to.equal('the other side closed the connection')
    expect(alice.moved).to.deep.equal([alice.opened[0]?.channel])
    expect([alice.opened.length, bob.opened.length]).to.deep.equal([2, 2])
    await expectOneThatWorks(alice, bob)
  })

  it('is closed with the one beside it when this side closes it', async () => {
    const [alice, bob] = await busyPair(world)
    world.network.reachable = false
    world.network.cut()
    await settle()
    alice.opened[0]?.channel.close('it sent something wrong')
    await settle()
    expect(alice.channels.connected()).to.deep.equal([])
    bob.channels.close('the test is over')
    await settle()
    expect(world.clock.pending).to.equal(0)
  })

  it('is not replaced past the bound of connections: idle ones make room, or it waits', async () => {
    const limits = { connections: 2 }
    const alice = world.join('1', { limits })
    const [bob, charlie] = [world.join('2', { limits }), world.join('3', { limits })]
    await alice.channels.open(bob.address)
    const toCharlie = await alice.channels.open(charlie.address)
    for (const { channel } of alice.opened) alice.channels.setBusy(channel, true)
    world.network.cut(isInitiator => isInitiator)
    await world.clock.advance(100)
    expect([alice.opened.length, alice.most]).to.deep.equal([2, 2])
    toCharlie.close('done')
    await world.clock.advance(500)
    expect(alice.opened.length).to.equal(3)
    expect([alice.most, bob.most]).to.deep.equal([2, 2])
    await expectOneThatWorks(bob, {
      ...alice,
      opened: alice.opened.filter(({ channel }) => channel !== toCharlie)
    })
  })

  it('makes way at once where there is no room beside it', async () => {
    const alice = world.join('1')
    const bob = world.join('2', { limits: { connections: 1 } })
    await alice.channels.open(bob.address)
    alice.channels.setBusy(alice.opened[0]!.channel, true)
    await settle()
    world.network.cut(isInitiator => isInitiator)
    await settle()
    expect(bob.moved).to.have.length(1)
    expect(bob.most).to.equal(1)
    await expectOneThatWorks(alice, bob)
  })
})

describe('a change of the network', () => {
  it('makes every channel in use suspect, before its connection finds out', async () => {
    const world = new ChannelWorld()
    const [alice, bob] = await busyPair(world)
    world.network.cut(() => false)
    await world.clock.advance(1_000)
    expect(alice.opened.length).to.equal(1)
    alice.channels.networkChanged()
    await settle()
    await expectOneThatWorks(alice, bob)
  })

  it('that breaks nothing is over once the peer has refused some attempts', async () => {
    const world = new ChannelWorld()
    const [alice, bob] = await busyPair(world)
    world.network.reachable = false
    alice.channels.networkChanged()
    await world.clock.advance(120_000)
    expect([alice.opened.length, world.clock.pending]).to.deep.equal([1, 2])
    await expectOneThatWorks(alice, bob)
  })
})
