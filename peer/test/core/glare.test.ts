import type { MediatorId, PeerId } from '@mayfly/common'
import { expect } from 'chai'
import { ourOfferStands } from '../../src/core/glare.js'

const side = (peer: string, mediator?: string) => ({
  peerId: peer.repeat(40) as PeerId,
  mediatorId: mediator === undefined ? undefined : (mediator.repeat(64) as MediatorId)
})

describe('offers that cross', () => {
  it('are won by the lower peer id, whatever the mediators', () => {
    expect(ourOfferStands(side('1', 'f'), side('2', '0'))).to.equal(true)
    expect(ourOfferStands(side('2', '0'), side('1', 'f'))).to.equal(false)
  })

  it('are won by the lower mediator id where two have one peer id', () => {
    expect(ourOfferStands(side('1', '3'), side('1', '4'))).to.equal(true)
    expect(ourOfferStands(side('1', '4'), side('1', '3'))).to.equal(false)
  })

  it('never stand on both sides', () => {
    for (const us of ['0', '7', 'f']) {
      for (const them of ['0', '7', 'f']) {
        const both =
          ourOfferStands(side(us, '1'), side(them, '2')) && ourOfferStands(side(them, '2'), side(us, '1'))
        expect(both).to.equal(false)
      }
    }
  })
})
