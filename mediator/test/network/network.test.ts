import { expect } from 'chai'
import { eventually, randomHash, randomPeer, SmallMediator } from './small-mediator.js'

describe('network of mediators', () => {
  const started: SmallMediator[] = []

  async function start(options: Parameters<typeof SmallMediator.start>[0] = {}): Promise<SmallMediator> {
    const mediator = await SmallMediator.start(options)
    started.push(mediator)
    return mediator
  }

  afterEach(async () => {
    await Promise.all(started.splice(0).map(mediator => mediator.stop()))
  })

  it('finds a seeder of the other mediator, both ways', async () => {
    const a = await start()
    const b = await start({ bootstrap: a.bootstrap })
    for (const [seeding, asking] of [
      [a, b],
      [b, a]
    ] as const) {
      const hash = randomHash()
      const peerId = randomPeer()
      seeding.seed(hash, peerId)
      const found = await eventually('the seeder is found', 5_000, async () => {
        const peers = await asking.find(hash)
        return peers.length > 0 && peers
      })
      expect(found).to.deep.equal([{ peerId, mediatorId: seeding.id }])
    }
  })
})
