import { expect } from 'chai'
import type { FullHash, JsonValue, PeerAddress } from '@mayfly/common'
import { openDhtNode } from '../../src/adapters/hyperdht.js'
import { directoryKey } from '../../src/network/directory/record.js'
import { eventually, randomHash, randomPeer, SILENT, SmallMediator } from './small-mediator.js'

/** The protocol allows 5 s on a machine that has time; eight mediators and more share one process here. */
const FOUND_WITHIN_MS = 5_000
const EIGHT_FOUND_WITHIN_MS = 15_000

describe('network of mediators', function () {
  this.timeout(60_000)
  const started: SmallMediator[] = []

  async function start(options: Parameters<typeof SmallMediator.start>[0] = {}): Promise<SmallMediator> {
    const mediator = await SmallMediator.start(options)
    started.push(mediator)
    return mediator
  }

  function stopped(mediator: SmallMediator): void {
    started.splice(started.indexOf(mediator), 1)
  }

  function found(
    asking: SmallMediator,
    hash: FullHash,
    count = 1,
    ms = FOUND_WITHIN_MS
  ): Promise<PeerAddress[]> {
    return eventually('the seeders are found', ms, async () => {
      const peers = await asking.find(hash)
      return peers.length >= count && peers
    })
  }

  async function expectFound(seeding: SmallMediator, asking: SmallMediator): Promise<void> {
    const hash = randomHash()
    const peerId = randomPeer()
    seeding.seed(hash, peerId)
    expect(await found(asking, hash)).to.deep.equal([{ peerId, mediatorId: seeding.id }])
  }

  function acquainted(mediators: readonly SmallMediator[]): Promise<boolean> {
    return eventually('all know all', 20_000, () =>
      mediators.every(({ network }) => {
        const { mediators: known, links } = network.counts()
        return known === mediators.length - 1 && links === mediators.length - 1
      })
    )
  }

  afterEach(async () => {
    await Promise.all(started.splice(0).map(mediator => mediator.stop()))
  })

  it('finds a seeder of the other mediator, both ways', async () => {
    const a = await start()
    const b = await start({ bootstrap: a.bootstrap })
    await expectFound(a, b)
    await expectFound(b, a)
  })

  it('finds seeders between mediators that are bound to all addresses', async () => {
    const a = await start({ host: '0.0.0.0' })
    expect(a.network.ready).to.equal(true)
    const [b, c] = await Promise.all([1, 2].map(() => start({ host: '0.0.0.0', bootstrap: a.bootstrap })))
    for (const asking of [a, b!, c!]) {
      for (const seeding of [a, b!, c!]) if (asking !== seeding) await expectFound(seeding, asking)
    }
  })

  it('finds a seeder that was there before the asking mediator started', async () => {
    const a = await start()
    const hash = randomHash()
    a.seed(hash, randomPeer())
    const b = await start({ bootstrap: a.bootstrap })
    expect(await found(b, hash)).to.have.lengthOf(1)
  })

  it('finds nobody for a hash that nobody seeds, in time', async () => {
    const a = await start()
    const b = await start({ bootstrap: a.bootstrap })
    await eventually('both are ready', 5_000, () => a.network.ready && b.network.ready)
    const began = performance.now()
    expect(await b.find(randomHash())).to.deep.equal([])
    expect(performance.now() - began).to.be.below(4_000)
  })

  for (const how of ['the first', 'the last that started'] as const) {
    it(`finds seeders between any two of eight mediators bootstrapped through ${how}`, async () => {
      const all = [await start()]
      for (let i = 1; i < 8; i++) {
        const through = how === 'the first' ? all[0]! : all.at(-1)!
        all.push(await start({ bootstrap: through.bootstrap }))
      }
      const hashes = all.map(mediator => {
        const hash = randomHash()
        mediator.seed(hash, randomPeer())
        return hash
      })
      const pairs = all.flatMap(asking =>
        all
          .map((seeding, i) => ({ asking, seeding, hash: hashes[i]! }))
          .filter(pair => pair.seeding !== asking)
      )
      await Promise.all(
        pairs.map(async ({ asking, seeding, hash }) => {
          const peers = await found(asking, hash, 1, EIGHT_FOUND_WITHIN_MS)
          expect(peers.map(({ mediatorId }) => mediatorId)).to.deep.equal([seeding.id])
        })
      )
    })
  }

  it('finds seeders of one hash on seven other mediators', async () => {
    const first = await start()
    const rest = await Promise.all(Array.from({ length: 7 }, () => start({ bootstrap: first.bootstrap })))
    const hash = randomHash()
    for (const mediator of rest) mediator.seed(hash, randomPeer())
    const peers = await found(first, hash, 7, EIGHT_FOUND_WITHIN_MS)
    expect(peers.map(({ mediatorId }) => mediatorId)).to.have.members(rest.map(({ id }) => id))
  })

  it('gets all of eight mediators that start at once acquainted, with one link for each two', async () => {
    const first = await start()
    const rest = await Promise.all(Array.from({ length: 7 }, () => start({ bootstrap: first.bootstrap })))
    await acquainted([first, ...rest])
    const offered = rest[0]!.network.mediatorsNear(randomPeer(), 20, false)
    const others = [first, ...rest.slice(1)].map(({ url }) => url)
    expect(offered).to.have.members(others)
    expect(rest[0]!.network.mediatorsNear(randomPeer(), 20, true)).to.deep.equal([])
  })

  it('joins two mediators that were each started through the other', async () => {
    const spare = await start()
    const port = spare.network.dhtPort
    stopped(spare)
    await spare.stop()
    const a = await start({ bootstrap: `127.0.0.1:${port}` })
    const b = await start({ bootstrap: a.bootstrap, dhtPort: port })
    await expectFound(a, b)
    await expectFound(b, a)
  })

  it('starts without its bootstrap node, is not ready, and joins when that comes', async () => {
    const spare = await start()
    const port = spare.network.dhtPort
    stopped(spare)
    await spare.stop()
    const a = await start({ bootstrap: `127.0.0.1:${port}` })
    expect(a.network.ready).to.equal(false)
    const hash = randomHash()
    a.seed(hash, randomPeer())
    const first = await start({ dhtPort: port })
    expect(first.network.ready).to.equal(true)
    await eventually('it has joined', 10_000, () => a.network.ready)
    expect(await found(first, hash)).to.have.lengthOf(1)
  })

  it('refuses a DHT port in use with EADDRINUSE', async () => {
    const a = await start()
    const error: unknown = await SmallMediator.start({ dhtPort: a.network.dhtPort }).catch((e: unknown) => e)
    expect(error).to.have.property('code', 'EADDRINUSE')
  })

  it('is found no more after its last seeder has left', async () => {
    const a = await start()
    const b = await start({ bootstrap: a.bootstrap })
    const hash = randomHash()
    a.seed(hash, randomPeer())
    await found(b, hash)
    a.unseed(hash)
    expect(await b.find(hash)).to.deep.equal([])
    await eventually('the record is withdrawn', 6_000, () => a.network.counts().provided === 0)
  })

  it('withdraws what it announced when it ends', async () => {
    const a = await start()
    const b = await start({ bootstrap: a.bootstrap })
    const node = await openDhtNode({ host: '127.0.0.1', port: 0, bootstrap: a.bootstrap, log: SILENT })
    try {
      const hash = randomHash()
      const question = { command: 0, target: Buffer.from(directoryKey(hash), 'hex') }
      const to = { host: '127.0.0.1', port: b.network.dhtPort }
      const kept = async (): Promise<number | undefined> => (await node.request(question, to))?.value?.[0]
      a.seed(hash, randomPeer())
      await eventually('b keeps the record', 5_000, async () => (await kept()) === 1)
      stopped(a)
      await a.stop()
      expect(await kept()).to.equal(0)
    } finally {
      await node.close()
    }
  })

  it('passes signals both ways in order, whatever JSON they hold', async () => {
    const a = await start()
    const b = await start({ bootstrap: a.bootstrap })
    const hash = randomHash()
    const [one, other] = [randomPeer(), randomPeer()]
    a.seed(hash, one)
    b.peers.add(other)
    await found(b, hash)
    const odd = JSON.parse('{"__proto__":{"a":-0},"n":[1e400,-1e400,-0]}') as JsonValue
    for (let i = 0; i < 300; i++) {
      const from = { peerId: other, mediatorId: b.id }
      const to = { peerId: one, mediatorId: a.id }
      expect(b.network.route({ from, to, data: i, fullHash: hash })).to.equal(true)
      expect(a.network.route({ from: to, to: from, data: i === 0 ? odd : i })).to.equal(true)
    }
    await eventually(
      'all have arrived',
      5_000,
      () => a.delivered.length === 300 && b.delivered.length === 300
    )
    expect(a.delivered.map(({ data }) => data)).to.deep.equal(Array.from({ length: 300 }, (_, i) => i))
    expect(b.delivered.slice(1).map(({ data }) => data)).to.deep.equal(
      Array.from({ length: 299 }, (_, i) => i + 1)
    )
    expect(a.delivered[0]).to.deep.include({ from: { peerId: other, mediatorId: b.id }, fullHash: hash })
    const arrived = b.delivered[0]!.data as { n: number[] }
    expect(Object.keys(arrived)).to.deep.equal(['__proto__', 'n'])
    expect(arrived.n).to.deep.equal([Infinity, -Infinity, -0])
    expect(Object.is(arrived.n[2], -0)).to.equal(true)
  })

  it('keeps signals in order while the link is still being dialled, from both sides at once', async () => {
    const a = await start()
    const b = await start({ bootstrap: a.bootstrap })
    const hash = randomHash()
    const [one, other] = [randomPeer(), randomPeer()]
    for (const mediator of [a, b]) {
      mediator.peers.add(one)
      mediator.peers.add(other)
    }
    a.seed(hash, one)
    b.seed(hash, other)
    const sent = new Map<SmallMediator, number>()
    const until = performance.now() + 1_000
    await eventually('a second of signals', 3_000, () => {
      for (const [here, there] of [
        [a, b],
        [b, a]
      ] as const) {
        void here.find(hash)
        const next = sent.get(here) ?? 0
        const from = { peerId: here === a ? one : other, mediatorId: here.id }
        const to = { peerId: here === a ? other : one, mediatorId: there.id }
        if (here.network.route({ from, to, data: next })) sent.set(here, next + 1)
      }
      return performance.now() > until
    })
    await eventually('all have arrived', 5_000, () => b.delivered.length === sent.get(a))
    await eventually('all have arrived', 5_000, () => a.delivered.length === sent.get(b))
    for (const { delivered } of [a, b]) {
      expect(delivered.map(({ data }) => data)).to.deep.equal(delivered.map((_, i) => i))
      expect(delivered.length).to.be.above(5)
    }
  })

  it('says so when a signal cannot be delivered', async () => {
    const a = await start()
    const b = await start({ bootstrap: a.bootstrap })
    await acquainted([a, b])
    const from = { peerId: randomPeer(), mediatorId: a.id }
    const to = { peerId: randomPeer(), mediatorId: b.id }
    expect(a.network.route({ from, to, data: null })).to.equal(true)
    await eventually('it comes back', 5_000, () => a.undelivered.length === 1)
    expect(a.undelivered).to.deep.equal([{ from: from.peerId, to }])
  })

  it('has no way to a mediator that it never heard of', async () => {
    const a = await start()
    const b = await start()
    const from = { peerId: randomPeer(), mediatorId: a.id }
    expect(a.network.route({ from, to: { peerId: randomPeer(), mediatorId: b.id }, data: 1 })).to.equal(false)
  })

  it('forgets a mediator that was killed, and goes on finding the others', async () => {
    const a = await start()
    const [b, c] = [await start({ bootstrap: a.bootstrap }), await start({ bootstrap: a.bootstrap })]
    await acquainted([a, b, c])
    const hash = randomHash()
    a.seed(hash, randomPeer())
    b.seed(hash, randomPeer())
    expect(await found(c, hash, 2)).to.have.lengthOf(2)
    stopped(a)
    await a.kill()
    const began = performance.now()
    const after = await c.find(hash)
    expect(after.map(({ mediatorId }) => mediatorId)).to.deep.equal([b.id])
    expect(performance.now() - began).to.be.below(4_000)
    await eventually('it is offered no more', 5_000, () => {
      const offered = c.network.mediatorsNear(randomPeer(), 8, false)
      return !offered.includes(a.url) && offered.includes(b.url)
    })
    await expectFound(b, c)
    await expectFound(c, b)
  })
})
