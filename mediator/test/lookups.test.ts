import { expect } from 'chai'
import type { PeerAddress } from '@mayfly/common'
import type { FindPeersOptions } from '../src/ports/network.js'
import { Lookups } from '../src/lookups.js'
import { ELSEWHERE, hash, peerId, Stage } from './core/stage.js'
import { eventually } from './eventually.js'

interface Asked {
  readonly options: FindPeersOptions
  readonly onPeers: (peers: readonly PeerAddress[]) => void
  readonly end: (error?: Error) => void
}

/** Lookups between a core and a network that the test plays. */
function setUp() {
  const asked: Asked[] = []
  const lookups = new Lookups(
    {
      findPeers: (_fullHash, options, onPeers) =>
        new Promise((resolve, reject) => {
          asked.push({ options, onPeers, end: error => (error === undefined ? resolve() : reject(error)) })
        })
    },
    8
  )
  const stage = new Stage({ worthwhile: true })
  lookups.answerTo(stage.mediation.questions, () => stage.now)
  const asker = stage.peer(1).ask(1, [{ peerId: peerId(9), mediatorId: ELSEWHERE }])
  lookups.start(stage.questions[0]!)
  asker.take()
  return { asked, lookups, stage, asker }
}

describe('Lookups', () => {
  it('pass answers on, and settle the question when the network has no more', async () => {
    const { asked, asker } = setUp()
    const named = { peerId: peerId(5), mediatorId: ELSEWHERE }
    asked[0]?.onPeers([named])
    expect(asker.take()).to.deep.equal([{ type: 'peers', fullHash: hash(1), peers: [named], final: false }])
    asked[0]?.end()
    await eventually('the final answer', () => asker.connection.sent.length > 0)
    expect(asker.take()).to.deep.equal([{ type: 'peers', fullHash: hash(1), peers: [], final: true }])
  })

  it('tell the network how many peers are wanted, by when, and whom the asker is connected to', () => {
    const { asked } = setUp()
    expect(asked[0]?.options).to.deep.include({ limit: 8, deadlineMs: 4_000 })
    expect(asked[0]?.options.connected).to.deep.equal([{ peerId: peerId(9), mediatorId: ELSEWHERE }])
  })

  it('settle the question also where the network fails', async () => {
    const { asked, asker } = setUp()
    asked[0]?.end(new Error('no network'))
    await eventually('the final answer', () => asker.connection.sent.length > 0)
    expect(asker.take()[0]).to.include({ final: true })
  })

  it('abort what nobody waits for', () => {
    const { asked, lookups, stage } = setUp()
    lookups.stop(stage.questions[0]!)
    expect(asked[0]?.options.signal.aborted).to.equal(true)
    lookups.stop(stage.questions[0]!)
  })

  it('are worthwhile unless the network says that nobody is there', () => {
    const findPeers = (): Promise<void> => Promise.resolve()
    expect(new Lookups({ findPeers }, 8).worthwhile).to.equal(true)
    expect(new Lookups({ findPeers, alone: true }, 8).worthwhile).to.equal(false)
  })
})
