import { expect } from 'chai'
import fc from 'fast-check'
import { BLOCK_BYTES, type ServerMessage } from '@mayfly/common'
import {
  PlanSimulation,
  address,
  contentOf,
  honest,
  type Behaviour,
  type Content
} from './plan-simulation.js'

/** Changes what a good peer would answer. `undefined` leaves it out. */
function twisted(content: Content, twist: (answer: ServerMessage) => ServerMessage | undefined): Behaviour {
  const good = honest(content)
  return (message, reply) =>
    good(message, answer => {
      const other = twist(answer)
      if (other !== undefined) reply(other)
    })
}

const silent: Behaviour = () => {}

const flipped = (bytes: Uint8Array<ArrayBuffer>) =>
  Uint8Array.from(bytes, (byte, i) => (i === 100 ? byte ^ 1 : byte))

describe('DownloadPlan', () => {
  let content: Content
  before(async () => (content = await contentOf(3_000_001)))

  const simulate = (peers: ConstructorParameters<typeof PlanSimulation>[0]['peers'], more = {}) =>
    new PlanSimulation({ fullHash: content.fullHash, length: content.bytes.length, peers, ...more })

  const expectWhole = (simulation: PlanSimulation) => {
    expect(simulation.outcome).to.deep.equal({ type: 'complete' })
    expect(Buffer.compare(simulation.written, content.bytes)).to.equal(0)
  }

  for (const length of [0, 1, 16_383, 16_384, 16_385, 65_536, 65_537, 1_048_577]) {
    it(`fetches ${length} bytes from one peer, each once`, async () => {
      const small = await contentOf(length)
      const simulation = new PlanSimulation({
        fullHash: small.fullHash,
        length,
        peers: { a: honest(small) }
      }).run()
      expect(simulation.outcome).to.deep.equal({ type: 'complete' })
      expect(Buffer.compare(simulation.written, small.bytes)).to.equal(0)
      expect(simulation.receivedFrom.get(address('a').peerId) ?? 0).to.equal(length)
    })
  }

  it('asks for the first blocks in the same message that opens the stream', () => {
    const simulation = simulate({ a: honest(content) }).run()
    expect(simulation.messages[0]?.message).to.include({ type: 'open', first: 0, count: 8 })
  })

  it('takes from several peers at once, and each byte once', () => {
    const peers = Object.fromEntries(
      ['a', 'b', 'c', 'd'].map(name => [name, { behave: honest(content), bytesPerMs: 500 }])
    )
    const simulation = simulate(peers).run()
    expectWhole(simulation)
    const received = [...simulation.receivedFrom.values()]
    expect(received).to.have.length(4)
    for (const bytes of received) expect(bytes).to.be.greaterThan(content.bytes.length / 10)
    expect(received.reduce((sum, bytes) => sum + bytes, 0)).to.be.at.most(content.bytes.length * 1.05)
  })

  it('takes most from the fastest', () => {
    const simulation = simulate({
      fast: { behave: honest(content), bytesPerMs: 2_000 },
      slow: { behave: honest(content), bytesPerMs: 50 }
    }).run()
    expectWhole(simulation)
    const from = (name: string) => simulation.receivedFrom.get(address(name).peerId) ?? 0
    expect(from('fast')).to.be.greaterThan(2 * from('slow'))
    expect(simulation.now).to.be.lessThan(8_000)
  })

  it('takes a small object from four peers at once, a block from each', async () => {
    const small = await contentOf(50_000)
    const peers = Object.fromEntries(
      ['a', 'b', 'c', 'd'].map(name => [name, { behave: honest(small), bytesPerMs: 10 }])
    )
    const simulation = new PlanSimulation({ fullHash: small.fullHash, length: 50_000, peers }).run()
    expect(simulation.outcome).to.deep.equal({ type: 'complete' })
    expect(Buffer.compare(simulation.written, small.bytes)).to.equal(0)
    expect([...simulation.receivedFrom.values()].toSorted((a, b) => b - a)).to.deep.equal([
      16_384, 16_384, 16_384, 848
    ])
  })

  it('takes over at the end what a crawling peer owes, without getting much of it twice', () => {
    const simulation = simulate({
      crawling: { behave: honest(content), bytesPerMs: 5 },
      good: { behave: honest(content), bytesPerMs: 300 }
    }).run()
    expectWhole(simulation)
    expect(simulation.now).to.be.lessThan(15_000)
    expect(simulation.plan.wastedBytes).to.be.at.most(content.bytes.length / 20)
  })

  it('fetches first what somebody reads, wherever that is', () => {
    const simulation = simulate({ a: { behave: honest(content), bytesPerMs: 500 } })
    simulation.later(0, () =>
      simulation.plan.want({ readers: [{ block: 150, end: Infinity }], rest: true }, 0)
    )
    simulation.run(600)
    expect(simulation.plan.stored?.hasRun(150, 8)).to.equal(true)
    expectWhole(simulation.run())
  })

  it('asks for nothing while it is paused, and goes on where it was', () => {
    const simulation = simulate({ a: { behave: honest(content), bytesPerMs: 500 } }).run(1_500)
    simulation.plan.want({ readers: [], rest: false }, simulation.now)
    simulation.run(20_000)
    const held = simulation.plan.stored?.size ?? 0
    expect(held).to.be.within(1, content.tree.blockCount - 1)
    simulation.run(60_000)
    expect(simulation.plan.stored?.size).to.equal(held)
    simulation.later(60_001, () => simulation.plan.want({ readers: [], rest: true }, simulation.now))
    expectWhole(simulation.run(120_000))
  })

  it('gives up crawling peers for others that were never tried', async () => {
    const large = await contentOf(20_000_000)
    const peers = Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => {
        const behave = honest(large)
        return [`${i}a`, { behave, bytesPerMs: i < 5 ? 4 : 200 }]
      })
    )
    const simulation = new PlanSimulation({ fullHash: large.fullHash, length: 20_000_000, peers }).run()
    expect(simulation.outcome).to.deep.equal({ type: 'complete' })
    expect(simulation.now, 'one good peer alone takes 100 s').to.be.lessThan(45_000)
    expect(simulation.receivedFrom.size).to.be.greaterThan(8)
  })

  it('begins at a place of chance, so that not all ask a seeder for the same', () => {
    const firstAsked = (chance: number) => {
      const simulation = simulate({ a: honest(content) }, { plan: { chance } }).run()
      expectWhole(simulation)
      return simulation.messages.find(({ message }) => message.type === 'request')?.message
    }
    expect(firstAsked(0.5)).to.include({ first: 92 })
  })

  it('engages no more than six peers', () => {
    const peers = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}a`, honest(content)]))
    const simulation = simulate(peers).run()
    expectWhole(simulation)
    expect(new Set(simulation.messages.map(({ peer }) => peer)).size).to.be.at.most(6)
  })

  const lies: Record<string, (of: Content) => Behaviour> = {
    'sends wrong bytes': of =>
      twisted(of, answer => (answer.type === 'data' ? { ...answer, bytes: flipped(answer.bytes) } : answer)),
    'sends a wrong proof': of =>
      twisted(of, answer =>
        answer.type === 'data' ? { ...answer, proof: new Uint8Array(answer.proof.length + 32) } : answer
      ),
    'sends a wrong root': of =>
      twisted(of, answer =>
        answer.type === 'header' ? { ...answer, piecesRoot: new Uint8Array(32) } : answer
      ),
    'sends a wrong length': of =>
      twisted(of, answer => (answer.type === 'header' ? { ...answer, length: answer.length + 1 } : answer)),
    'sends the largest length': of =>
      twisted(of, answer => (answer.type === 'header' ? { ...answer, length: 2 ** 53 - 1 } : answer)),
    'sends too few bytes': of =>
      twisted(of, answer => (answer.type === 'data' ? { ...answer, bytes: answer.bytes.slice(1) } : answer)),
    'sends blocks that nobody asked for': of =>
      twisted(of, answer => (answer.type === 'data' ? { ...answer, first: answer.first + 2 ** 30 } : answer)),
    'sends every block twice': of => (message, reply) => {
      honest(of)(message, answer => {
        reply(answer)
        reply(answer)
      })
    },
    'claims blocks that do not exist': of => (message, reply) => {
      honest(of)(message, reply)
      reply({ type: 'have', stream: 1, runs: [[0, 2 ** 40]] })
    },
    'sends blocks before the header': of =>
      twisted(of, answer => (answer.type === 'header' ? undefined : answer))
  }

  for (const [lie, behaviour] of Object.entries(lies)) {
    it(`drops a peer that ${lie}, and completes from another`, () => {
      const simulation = simulate({
        liar: behaviour(content),
        good: { behave: honest(content), bytesPerMs: 100 }
      }).run()
      expectWhole(simulation)
      expect([...simulation.dropped.keys()]).to.deep.equal([address('liar').peerId])
    })

    it(`fails, having delivered nothing wrong, when every peer ${lie}`, () => {
      const simulation = simulate({ a: behaviour(content), b: behaviour(content) }).run()
      if (lie === 'sends every block twice' || lie === 'claims blocks that do not exist') {
        expect(simulation.outcome?.type).to.equal('failed')
        return
      }
      expect(simulation.outcome).to.include({ type: 'failed', code: 'wrong_bytes' })
      expect(simulation.written.every(byte => byte === 0)).to.equal(true)
      expect(simulation.now).to.be.lessThan(35_000)
    })
  }

  it('completes from the others when a peer falls silent', () => {
    let answers = 0
    const mute = twisted(content, answer => (answers++ < 5 ? answer : undefined))
    const simulation = simulate({ mute, good: { behave: honest(content), bytesPerMs: 200 } }).run()
    expectWhole(simulation)
    expect(simulation.now).to.be.lessThan(20_000)
  })

  it('gives up a peer that never says anything, in the end for good', () => {
    const simulation = simulate({ silent }).run()
    expect(simulation.outcome).to.include({ type: 'failed', code: 'peers_lost' })
    expect(simulation.dropped.get(address('silent').peerId)).to.equal('fell silent')
    expect(simulation.now).to.be.within(30_000, 31_000)
  })

  it('gives up a peer that proves root and length again and again but sends no block', () => {
    const simulation = simulate({
      a: twisted(content, answer => (answer.type === 'header' ? answer : undefined))
    }).run()
    expect(simulation.outcome).to.include({ type: 'failed', code: 'peers_lost' })
    expect(simulation.now).to.be.lessThan(100_000)
  })

  it('fails with no_seeder when nobody is found in time, having asked again and again but not often', () => {
    const simulation = simulate({}).run()
    expect(simulation.outcome).to.include({ type: 'failed', code: 'no_seeder' })
    expect(simulation.now).to.be.within(30_000, 30_100)
    expect(simulation.asks).to.be.within(6, 12)
  })

  it('finds a peer that appears later', () => {
    const simulation = simulate(
      { a: honest(content) },
      { found: (asks: number) => (asks < 4 ? [] : [address('a')]) }
    )
    expectWhole(simulation.run())
  })

  it('refuses more than maxLength before anything is prepared', () => {
    const simulation = simulate(
      { a: honest(content) },
      { plan: { maxLength: content.bytes.length - 1 } }
    ).run()
    expect(simulation.outcome).to.include({ type: 'failed', code: 'too_large' })
    expect(simulation.tree).to.equal(undefined)
  })

  it('goes on where it was when a peer leaves and another comes', () => {
    const simulation = simulate(
      { a: { behave: honest(content), bytesPerMs: 300 }, b: honest(content) },
      { found: (asks: number) => (asks === 1 ? [address('a')] : [address('b')]) }
    )
    simulation.later(3_000, () => simulation.plan.gone(address('a'), 'it left', simulation.now))
    expectWhole(simulation.run())
    const received = [...simulation.receivedFrom.values()].reduce((sum, bytes) => sum + bytes, 0)
    expect(received).to.be.at.most(content.bytes.length + 16 * 4 * BLOCK_BYTES)
  })

  it('waits for a peer that is busy and asks it again', () => {
    let opens = 0
    const busy: Behaviour = (message, reply) => {
      if (message.type === 'open' && opens++ < 2)
        reply({ type: 'reject', stream: 1, first: 0, count: 0, reason: 'busy' })
      else honest(content)(message, reply)
    }
    expectWhole(simulate({ busy }).run())
  })

  it('takes from a peer that has a part only what that has', () => {
    const half = Math.floor(content.tree.blockCount / 2)
    const part: Behaviour = (message, reply) => {
      if (message.type === 'request' && message.first + message.count > half)
        throw new Error('asked for what it lacks')
      honest(content)({ ...message, ...(message.type === 'open' ? { count: 0 } : {}) }, answer => {
        reply(answer.type === 'header' ? { ...answer, complete: false } : answer)
        if (answer.type === 'header') reply({ type: 'have', stream: 1, runs: [[0, half]] })
      })
      if (message.type === 'open') {
        reply({ type: 'reject', stream: 1, first: message.first, count: message.count, reason: 'not_held' })
      }
    }
    const simulation = simulate({ part, whole: { behave: honest(content), bytesPerMs: 100 } }).run()
    expectWhole(simulation)
    expect(simulation.receivedFrom.get(address('part').peerId)).to.be.greaterThan(0)
  })

  it('completes with the right bytes whatever half of the peers does, in any order', () => {
    const names = Object.keys(lies)
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...names, 'good', 'silent'), { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 20, max: 5_000 }), { minLength: 6, maxLength: 6 }),
        fc.nat(5),
        (kinds, speeds, place) => {
          const all = [...kinds.slice(0, place), 'good', ...kinds.slice(place)]
          const peers = Object.fromEntries(
            all.map((kind, i) => {
              const behave =
                kind === 'good' ? honest(content) : kind === 'silent' ? silent : lies[kind]!(content)
              return [`${i}a`, { behave, bytesPerMs: speeds[i]! }]
            })
          )
          expectWhole(simulate(peers).run(600_000))
        }
      ),
      { numRuns: 20 }
    )
  })

  describe('with readers', () => {
    const READER_AT = 128
    const slow = { behave: (...args: Parameters<Behaviour>) => honest(content)(...args), bytesPerMs: 200 }

    const requestedBlocks = (simulation: PlanSimulation, since: number) =>
      simulation.messages
        .slice(since)
        .flatMap(({ message }) => (message.type === 'request' ? [message.first] : []))

    it('takes back what nobody reads when a reader comes, and asks for what that waits for first', () => {
      const simulation = simulate({ slow }).run(1_000)
      const before = simulation.messages.length
      simulation.later(simulation.now, () =>
        simulation.plan.want({ readers: [{ block: READER_AT, end: Infinity }], rest: true }, simulation.now)
      )
      simulation.run(simulation.now + 1)
      const sent = simulation.messages.slice(before).map(({ message }) => message.type)
      expect(sent).to.include('cancel')
      expect(requestedBlocks(simulation, before)[0]).to.equal(READER_AT)
      expectWhole(simulation.run())
    })

    it('asks for nothing while nothing is wanted, and does not give up', () => {
      const simulation = simulate({ slow }).run(1_000)
      simulation.later(simulation.now, () =>
        simulation.plan.want({ readers: [], rest: false }, simulation.now)
      )
      simulation.run(simulation.now + 2_000)
      const sent = simulation.messages.length
      simulation.run(600_000)
      expect(simulation.messages).to.have.length(sent)
      expect(simulation.plan.running).to.equal(true)
      simulation.later(600_000, () => simulation.plan.want({ readers: [], rest: true }, 600_000))
      expectWhole(simulation.run(700_000))
    })

    it('opens where a reader begins, before the length is known', () => {
      const simulation = simulate({ slow })
      simulation.plan.want({ readers: [{ block: READER_AT, end: READER_AT + 4 }], rest: false }, 0)
      simulation.run(2_000)
      expect(simulation.messages[0]?.message).to.include({ type: 'open', first: READER_AT })
    })

    it('does not take a peer that says what was taken back for one that refuses', () => {
      const cancelling: Behaviour = (message, reply) => {
        if (message.type !== 'cancel') honest(content)(message, reply)
        else reply({ ...message, type: 'reject', reason: 'cancelled' })
      }
      const simulation = simulate({ a: { behave: cancelling, bytesPerMs: 20, delayMs: 1 } })
      for (let i = 0; i < 200; i++) {
        const readers = [{ block: (i * 37) % content.tree.blockCount, end: Infinity }]
        simulation.later(500 + 5 * i, () => simulation.plan.want({ readers, rest: true }, simulation.now))
      }
      expectWhole(simulation.run(900_000))
      expect(simulation.dropped.size).to.equal(0)
    })
  })

  it('ends with nothing more to do when it is stopped', () => {
    const simulation = simulate({ a: { behave: honest(content), bytesPerMs: 10 } }).run(500)
    expect(simulation.plan.running).to.equal(true)
    const effects = simulation.plan.stop()
    expect(effects).to.deep.include({
      type: 'send',
      peer: address('a'),
      message: { type: 'close', stream: 1 }
    })
    expect(simulation.plan.wakeAt(simulation.now)).to.equal(undefined)
    expect(simulation.plan.wake(simulation.now)).to.deep.equal([])
  })
})
