import { expect } from 'chai'
import { FailOver, MAX_LEARNED } from '../../src/core/fail-over.js'
import type { MediatorTable } from '../../src/ports/mediator-table.js'

const [A, B, C, D] = ['ws://a', 'ws://b', 'ws://c', 'ws://d'] as const
const RANDOM = 0.5

/** Distance is the place in `order`; what is not in it is farthest, later ones farther. */
class TableOf implements MediatorTable {
  readonly #order: readonly string[]
  readonly #urls = new Set<string>()

  constructor(...order: string[]) {
    this.#order = order
  }

  add(url: string): void {
    this.#urls.add(url)
  }

  remove(url: string): void {
    this.#urls.delete(url)
  }

  nearest(): readonly string[] {
    const place = (url: string): number => (this.#order.includes(url) ? this.#order.indexOf(url) : 1_000)
    return [...this.#urls].sort((a, b) => place(a) - place(b))
  }
}

function tries(failOver: FailOver, count: number): string[] {
  return Array.from({ length: count }, () => {
    const url = failOver.next(RANDOM)?.url ?? 'none'
    failOver.failed(url)
    return url
  })
}

describe('fail-over', () => {
  it('tries the given mediators in their order at first, without waiting', () => {
    const failOver = new FailOver([B, A, B], new TableOf(A, B))
    expect(failOver.next(RANDOM)).to.deep.equal({ url: B, waitMs: 0 })
    failOver.failed(B)
    expect(failOver.next(RANDOM)).to.deep.equal({ url: A, waitMs: 0 })
  })

  it('waits longer and longer, but only after all have failed', () => {
    const failOver = new FailOver([A, B], new TableOf())
    const waits = Array.from({ length: 7 }, () => failOver.next(RANDOM)?.waitMs)
    expect(waits).to.deep.equal([0, 0, 750, 0, 1_250, 0, 2_250])
  })

  it('goes to the nearest other one after a loss, within a second', () => {
    const failOver = new FailOver([A, B, C], new TableOf(C, A, B))
    failOver.next(RANDOM)
    failOver.established([])
    failOver.lost(A, 60_000)
    expect(failOver.next(RANDOM)).to.deep.equal({ url: C, waitMs: 500 })
    expect(tries(failOver, 2)).to.deep.equal([B, A])
  })

  it('prefers given mediators to learned ones, and nearer learned ones to others', () => {
    const failOver = new FailOver([A, B], new TableOf(D, C, B, A))
    failOver.next(RANDOM)
    failOver.established([C, D])
    failOver.lost(A, 60_000)
    expect(tries(failOver, 4)).to.deep.equal([B, D, C, A])
  })

  it('comes back to the only one there is', () => {
    const failOver = new FailOver([A], new TableOf())
    failOver.next(RANDOM)
    failOver.established([])
    failOver.lost(A, 60_000)
    expect(failOver.next(RANDOM)).to.deep.equal({ url: A, waitMs: 500 })
    failOver.failed(A)
    expect(failOver.next(RANDOM)?.waitMs).to.equal(750)
  })

  it('does not hurry back to one that drops us soon after it took us', () => {
    const failOver = new FailOver([A], new TableOf())
    const waits: (number | undefined)[] = []
    for (let i = 0; i < 4; i++) {
      waits.push(failOver.next(RANDOM)?.waitMs)
      failOver.established([])
      failOver.lost(A, 100)
    }
    expect(waits).to.deep.equal([0, 750, 1_250, 2_250])
  })

  it('starts over with short waits after a good session', () => {
    const failOver = new FailOver([A], new TableOf())
    tries(failOver, 6)
    failOver.established([])
    failOver.lost(A, 60_000)
    expect(failOver.next(RANDOM)?.waitMs).to.equal(500)
    failOver.failed(A)
    expect(failOver.next(RANDOM)?.waitMs).to.equal(750)
  })

  it('gives the mediator time to notice that the holder of our peer id is gone, then tries another', () => {
    const failOver = new FailOver([A, B], new TableOf(A, B))
    failOver.next(RANDOM)
    const tried: (string | undefined)[] = []
    for (let i = 0; i < 4; i++) {
      failOver.idInUse(A)
      const next = failOver.next(RANDOM)
      tried.push(next?.url)
      if (i === 0) expect(next?.waitMs).to.be.within(2_000, 5_000)
    }
    expect(tried).to.deep.equal([A, A, A, B])
  })

  it('does not try again who refused, and ends when all have', () => {
    const failOver = new FailOver([A, B], new TableOf())
    failOver.next(RANDOM)
    failOver.refused(A)
    expect(tries(failOver, 3)).to.deep.equal([B, B, B])
    failOver.refused(B)
    expect(failOver.next(RANDOM)).to.equal(undefined)
  })

  it('has nothing to try where nothing is given', () => {
    expect(new FailOver([], new TableOf()).next(RANDOM)).to.equal(undefined)
  })

  it('keeps the nearest of too many learned mediators, and never forgets given ones', () => {
    const near = Array.from({ length: MAX_LEARNED }, (_, i) => `ws://near${i}`)
    const far = Array.from({ length: 100 }, (_, i) => `ws://far${i}`)
    const failOver = new FailOver([A], new TableOf(...near, ...far, A))
    failOver.next(RANDOM)
    failOver.established([...far, ...near])
    failOver.lost(A, 60_000)
    expect(tries(failOver, MAX_LEARNED + 1)).to.deep.equal([...near, A])
  })

  it('learns no address that is not one of a WebSocket', () => {
    const failOver = new FailOver([A], new TableOf())
    failOver.next(RANDOM)
    failOver.established(['http://x', 'javascript:alert(1)', '', `ws://${'x'.repeat(600)}`, 'ws://a b'])
    failOver.lost(A, 60_000)
    expect(tries(failOver, 2)).to.deep.equal([A, A])
  })
})
