import { expect } from 'chai'
import type { MediatorId } from '@mayfly/common'
import { LinkChoice } from '../../../src/network/replication/choice.js'
import type { Link } from '../../../src/network/replication/link.js'

function link(
  options: Partial<Record<'other' | 'role', string>> & Partial<Record<'decides' | 'isProbe', boolean>> = {}
): Link {
  const { other = 'a', role = 'dialer', decides = true, isProbe = false } = options
  return { other, role, decides, isProbe, provedAt: 0 } as unknown as Link
}

describe('LinkChoice', () => {
  it('uses the first link, and closes a second that was dialled at the same moment', () => {
    const choice = new LinkChoice(4)
    const [first, second] = [link(), link({ role: 'listener' })]
    expect(choice.proved(first, 0)).to.deep.equal({ type: 'use', instead: undefined })
    choice.use(first, 0)
    expect(choice.proved(second, 1_000).type).to.equal('close')
    expect(choice.to('a' as MediatorId)).to.equal(first)
  })

  it('takes what the other side dials later for a sign that the old link is dead there', () => {
    const choice = new LinkChoice(4)
    const [old, fresh] = [link(), link({ role: 'listener' })]
    choice.use(old, 0)
    expect(choice.proved(fresh, 6_000)).to.deep.equal({ type: 'use', instead: old })
    expect(choice.use(fresh, 6_000)).to.equal(old)
    expect(choice.gone(old)).to.equal(false)
    expect(choice.size).to.equal(1)
  })

  it('waits for the other side to choose, and for probes to end', () => {
    const choice = new LinkChoice(4)
    expect(choice.proved(link({ decides: false }), 0).type).to.equal('wait')
    expect(choice.proved(link({ isProbe: true }), 0).type).to.equal('wait')
  })

  it('makes room by the link that has been of no use for longest, unless all are busy', () => {
    const choice = new LinkChoice(2)
    const [a, b] = [link({ other: 'a' }), link({ other: 'b' })]
    choice.use(a, 0)
    expect(choice.roomFor(1)).to.deep.equal({ room: true })
    choice.use(b, 1_000)
    choice.useful(a, 5_000)
    expect(choice.roomFor(6_000)).to.deep.equal({ room: false })
    expect(choice.roomFor(12_000)).to.deep.equal({ room: true, close: b })
  })
})
