import { expect } from 'chai'
import { CrowdQueue } from '../../src/core/crowd-queue.js'
import { GivenBlocks } from '../../src/core/given-blocks.js'
import { UploadQueue } from '../../src/core/upload-queue.js'

const STREAM = 1

describe('the order in which a peer of a crowd is sent what it asks for', () => {
  let given: GivenBlocks
  beforeEach(() => (given = new GivenBlocks()))

  /** A peer of the crowd that has asked for these runs. */
  function peerThatAsks(...runs: (readonly [first: number, count: number])[]): CrowdQueue {
    const peer = {}
    const queue = new UploadQueue()
    for (const [first, count] of runs) queue.add({ stream: STREAM, first, count, level: 63 })
    given.join(peer)
    return new CrowdQueue(peer, queue, () => given)
  }

  const firstOf = (queue: CrowdQueue, now = 0): number | undefined => queue.take(now)?.first

  it('is that of its requests, in long runs, while there are two of them', () => {
    const one = peerThatAsks([0, 32])
    const other = peerThatAsks([0, 32])
    expect(one.take(0)).to.include({ first: 0, count: 16 })
    expect(other.take(0)).to.include({ first: 0, count: 16 })
  })

  it('gives each of three something else of the same', () => {
    const queues = [peerThatAsks([0, 16]), peerThatAsks([0, 16]), peerThatAsks([0, 16])]
    expect(queues.map(queue => queue.take(0)?.next())).to.deep.equal([
      [0, 4],
      [4, 4],
      [8, 4]
    ])
  })

  it('takes what lies in the midst of a run, and the rest of it afterwards', () => {
    const one = peerThatAsks([0, 4])
    const queue = peerThatAsks([0, 12])
    peerThatAsks()
    one.take(0)
    expect([queue.take(0), queue.take(0)].map(run => run?.first)).to.deep.equal([4, 8])
    expect(firstOf(queue, 10_000)).to.equal(0)
  })

  it('prefers what somebody was given long ago to what somebody was given just now', () => {
    const one = peerThatAsks([0, 4], [4, 4])
    const queue = peerThatAsks([4, 4], [0, 4])
    peerThatAsks()
    one.take(0)
    one.take(6_000)
    expect(firstOf(queue, 6_000)).to.equal(0)
  })

  it('lets it wait for what others were given just now, once and not for long', () => {
    const one = peerThatAsks([0, 8])
    const queue = peerThatAsks([0, 8])
    peerThatAsks()
    one.take(0)
    one.take(0)
    expect(queue.take(0)).to.equal(undefined)
    expect(queue.waitMs(0)).to.equal(1_500)
    expect(queue.take(1_499)).to.equal(undefined)
    expect(firstOf(queue, 1_500)).to.equal(0)
    expect(firstOf(queue, 1_500), 'that which got nothing from others meanwhile').to.equal(4)
    expect(queue.waitMs(1_500)).to.equal(undefined)
  })

  it('lets it wait again where others bring what it waited for', () => {
    const one = peerThatAsks([0, 8])
    const queue = peerThatAsks([0, 8])
    peerThatAsks()
    one.take(0)
    one.take(0)
    queue.take(0)
    queue.take(1_500)
    queue.cancelled(STREAM, 8, 4)
    expect(queue.take(1_500)).to.equal(undefined)
  })

  it('forgets what a peer was given that left, or that was not sent to it after all', () => {
    const left = {}
    const spared = {}
    given.join(left)
    given.join(spared)
    given.give(left, 0, 0)
    given.give(left, 4, 0)
    given.give(spared, 8, 0)
    const queue = peerThatAsks([0, 12])
    expect(queue.take(0)).to.equal(undefined)
    given.takeBack(spared, 8)
    expect(firstOf(queue)).to.equal(8)
    given.leave(left)
    peerThatAsks()
    expect([firstOf(queue), firstOf(queue)]).to.deep.equal([0, 4])
  })

  it('counts every peer that was given a group, and no peer twice', () => {
    const peers = [{}, {}, {}] as const
    for (const peer of peers) given.join(peer)
    given.give(peers[0], 0, 0)
    given.give(peers[0], 1, 0)
    given.give(peers[1], 2, 0)
    given.takeBack(peers[0], 0)
    expect(given.of(peers[2], 3, 0)).to.equal(2)
    given.takeBack(peers[1], 3)
    given.takeBack(peers[1], 3)
    expect(given.of(peers[2], 3, 0)).to.equal(0)
  })
})
