import type { FullHash, RequesterMessage } from '@mayfly/common'
import { expect } from 'chai'
import { EarlyStream } from '../../src/core/early-stream.js'

const WANTED = 'a'.repeat(64) as FullHash
const OTHER = 'b'.repeat(64) as FullHash
const ASKED = { fullHash: WANTED, first: 0, count: 16 }
const REQUEST: RequesterMessage = { type: 'request', stream: 0, first: 20, count: 4, level: 3 }
const CLOSE: RequesterMessage = { type: 'close', stream: 0 }

function open(stream: number, changes: Partial<typeof ASKED> = {}): RequesterMessage {
  return { type: 'open', stream, ...ASKED, ...changes }
}

/** The next number would be 1. */
const count = (): number => 1

describe('the stream that an offer opens', () => {
  it('is taken by the first who wants that content, and not opened again', () => {
    const early = new EarlyStream(ASKED)
    expect(early.streams).to.equal(1)
    expect([early.take(OTHER), early.take(WANTED), early.take(WANTED)]).to.deep.equal([
      undefined,
      0,
      undefined
    ])
    expect(early.outgoing(open(0), count)).to.deep.equal([])
    expect(early.outgoing(REQUEST, count)).to.deep.equal([REQUEST])
    expect([early.incoming(0), early.incoming(1)]).to.deep.equal([0, 1])
  })

  it('is closed and replaced when other blocks are wanted by then', () => {
    const early = new EarlyStream(ASKED)
    early.take(WANTED)
    expect(early.outgoing(open(0, { first: 4 }), count)).to.deep.equal([CLOSE, open(1, { first: 4 })])
    expect(early.outgoing(REQUEST, count)).to.deep.equal([{ ...REQUEST, stream: 1 }])
    expect(early.outgoing(CLOSE, count)).to.deep.equal([{ type: 'close', stream: 1 }])
    expect([early.incoming(0), early.incoming(1), early.incoming(2)]).to.deep.equal([undefined, 0, 2])
  })

  it('is closed when another content is asked for before it is taken', () => {
    const early = new EarlyStream(ASKED)
    expect(early.waiting).to.equal(true)
    const other = open(1, { fullHash: OTHER })
    expect(early.outgoing(other, count)).to.deep.equal([CLOSE, other])
    expect(early.waiting).to.equal(false)
    expect([early.take(WANTED), early.incoming(0), early.incoming(1)]).to.deep.equal([
      undefined,
      undefined,
      1
    ])
    expect(early.outgoing(other, count)).to.deep.equal([other])
  })

  it('is not there where the offer opened none', () => {
    const early = new EarlyStream(undefined)
    expect([early.streams, early.waiting, early.take(WANTED)]).to.deep.equal([0, false, undefined])
    expect(early.outgoing(open(0), count)).to.deep.equal([open(0)])
    expect([early.incoming(0), early.incoming(7)]).to.deep.equal([0, 7])
  })
})
