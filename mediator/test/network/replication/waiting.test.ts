import { expect } from 'chai'
import type { MediatorId, PeerId } from '@mayfly/common'
import { DialBackoff } from '../../../src/network/replication/dial-backoff.js'
import { Outbox } from '../../../src/network/replication/outbox.js'
import { Questions } from '../../../src/network/replication/questions.js'
import { RoutedPairs } from '../../../src/network/replication/routed-pairs.js'

const [A, B] = ['a'.repeat(64), 'b'.repeat(64)] as [MediatorId, MediatorId]
const PEERS = ['1', '2', '3'].map(digit => digit.repeat(40) as PeerId)

describe('Questions', () => {
  function asked(to: MediatorId, until: number, limit = 8) {
    const answers: (readonly PeerId[])[] = []
    return {
      question: { to, until, limit, answer: (peers: readonly PeerId[]) => answers.push(peers) },
      answers
    }
  }

  it('are answered once, by whom they were put to, with no more than was asked for', () => {
    const questions = new Questions()
    const { question, answers } = asked(A, 100, 2)
    const id = questions.ask(question)!
    questions.answered(id, B, PEERS)
    questions.answered(id + 1, A, PEERS)
    expect(answers).to.deep.equal([])
    questions.answered(id, A, PEERS)
    questions.answered(id, A, PEERS)
    expect(answers).to.deep.equal([PEERS.slice(0, 2)])
  })

  it('are answered with nobody when time is up, or when the mediator is lost', () => {
    const questions = new Questions()
    const [late, lost, other] = [asked(A, 100), asked(A, 1_000), asked(B, 1_000)]
    for (const { question } of [late, lost, other]) questions.ask(question)
    questions.wake(100)
    expect([late, lost, other].map(({ answers }) => answers)).to.deep.equal([[[]], [], []])
    questions.lost(A)
    expect([late, lost, other].map(({ answers }) => answers)).to.deep.equal([[[]], [[]], []])
  })

  it('are answered with nobody at once when too many are open', () => {
    const questions = new Questions()
    for (let i = 0; i < 16_384; i++) questions.ask(asked(A, 100).question)
    const { question, answers } = asked(A, 100)
    expect(questions.ask(question)).to.equal(undefined)
    expect(answers).to.deep.equal([[]])
  })
})

describe('Outbox', () => {
  const waiting = {
    message: { type: 'unreachable', from: PEERS[0]!, to: PEERS[1]! } as const,
    failed: () => undefined
  }

  it('gives what waits in order, once', () => {
    const outbox = new Outbox()
    const list = PEERS.map(to => ({ ...waiting, message: { ...waiting.message, to } }))
    for (const entry of list) outbox.add(A, entry)
    expect(outbox.has(A)).to.equal(true)
    expect(outbox.take(A)).to.deep.equal(list)
    expect(outbox.has(A)).to.equal(false)
    expect(outbox.take(A)).to.deep.equal([])
  })

  it('takes 256 messages for one mediator and 4,096 for all', () => {
    const outbox = new Outbox()
    let taken = 0
    for (let i = 0; i < 300; i++) if (outbox.add(A, waiting)) taken++
    expect(taken).to.equal(256)
    for (let i = 0; i < 5_000; i++) if (outbox.add(`${i}` as MediatorId, waiting)) taken++
    expect(taken).to.equal(4_096)
    outbox.take(A)
    expect(outbox.add(B, waiting)).to.equal(true)
  })
})

describe('DialBackoff', () => {
  it('waits twice as long after each failure, at most 30 s, and not at all after a success', () => {
    const backoff = new DialBackoff()
    let now = 0
    const waits: number[] = []
    for (let i = 0; i < 9; i++) {
      backoff.failed(A, now)
      const failedAt = now
      while (backoff.isTooEarly(A, now)) now += 100
      waits.push(now - failedAt)
    }
    expect(waits).to.deep.equal([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
    backoff.failed(A, now)
    expect(backoff.isTooEarly(B, now)).to.equal(false)
    backoff.succeeded(A)
    expect(backoff.isTooEarly(A, now)).to.equal(false)
  })
})

describe('RoutedPairs', () => {
  it('knows which signals went to which mediator in the last 30 s', () => {
    const routed = new RoutedPairs()
    const pair = { mediatorId: A, from: PEERS[0]!, to: PEERS[1]! }
    routed.routed(pair, 0)
    expect(routed.has(pair, 29_999)).to.equal(true)
    expect(routed.has({ ...pair, mediatorId: B }, 1)).to.equal(false)
    expect(routed.has({ ...pair, from: PEERS[2]! }, 1)).to.equal(false)
    expect(routed.has(pair, 30_000)).to.equal(false)
  })
})
