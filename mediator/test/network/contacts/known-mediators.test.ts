import { expect } from 'chai'
import type { MediatorContact, MediatorId } from '@mayfly/common'
import { KBucketTable } from '../../../src/adapters/k-bucket-table.js'
import { KnownMediators } from '../../../src/network/contacts/known-mediators.js'

const OWN = '8'.repeat(64) as MediatorId
const ANYWHERE = new Uint8Array(20)

function contact(n: number, url = `ws://mediator-${n}.example`): MediatorContact {
  return { mediatorId: n.toString(16).padStart(64, '0') as MediatorId, url }
}

function know(): KnownMediators {
  return new KnownMediators(OWN, new KBucketTable('ws://own.example'))
}

describe('KnownMediators', () => {
  it('names only mediators that were reached, and dials those that it heard of', () => {
    const known = know()
    known.heard(contact(1), 0)
    expect(known.nearest(ANYWHERE)).to.deep.equal([])
    expect(known.actions(1_000, 0)).to.deep.equal([{ type: 'keep', contact: contact(1) }])
    expect(known.actions(1_000, 0)).to.deep.equal([])
    known.reached(contact(1), 1_100)
    expect(known.nearest(ANYWHERE)).to.deep.equal([contact(1)])
    expect(known.alive).to.equal(1)
  })

  it('never names or dials itself', () => {
    const known = know()
    known.heard({ mediatorId: OWN, url: 'ws://elsewhere.example' }, 0)
    known.reached({ mediatorId: OWN, url: 'ws://elsewhere.example' }, 0)
    expect(known.actions(10_000, 0)).to.deep.equal([])
    expect(known.nearest(ANYWHERE)).to.deep.equal([])
  })

  it('stops naming a mediator when its link is lost, and tries to get it back', () => {
    const known = know()
    known.reached(contact(1), 0)
    known.linked(contact(1).mediatorId)
    expect(known.actions(120_000, 1)).to.deep.equal([])
    known.unlinked(contact(1).mediatorId, 120_000)
    expect(known.nearest(ANYWHERE)).to.deep.equal([])
    expect(known.actions(120_500, 0)).to.deep.equal([{ type: 'keep', contact: contact(1) }])
  })

  it('gives up on a mediator that is not there after six tries, ever farther apart', () => {
    const known = know()
    known.heard(contact(1), 0)
    const tries: number[] = []
    for (let now = 0; now < 300_000; now += 100) {
      for (const action of known.actions(now, 0)) {
        tries.push(now)
        known.unreached(action.contact, now)
      }
    }
    expect(tries.slice(1).map((at, i) => at - tries[i]!)).to.deep.equal([1_000, 2_000, 4_000, 8_000, 16_000])
    expect(known.urlOf(contact(1).mediatorId)).to.equal(undefined)
  })

  it('probes a mediator without a link every minute, and stops naming it when it is not there', () => {
    const known = know()
    known.reached(contact(1), 0)
    expect(known.actions(59_000, 24)).to.deep.equal([])
    expect(known.actions(60_000, 24)).to.deep.equal([{ type: 'probe', contact: contact(1) }])
    known.unreached(contact(1), 60_100)
    expect(known.nearest(ANYWHERE)).to.deep.equal([])
  })

  it('keeps links to 24 mediators only', () => {
    const known = know()
    for (let i = 1; i <= 8; i++) known.heard(contact(i), 0)
    const actions = known.actions(1_000, 20)
    expect(actions.filter(({ type }) => type === 'keep')).to.have.lengthOf(4)
    expect(actions.filter(({ type }) => type === 'probe')).to.have.lengthOf(4)
  })

  it('believes where a linked mediator says it is only after it was reached there', () => {
    const known = know()
    known.saysItIsAt(contact(1), 0)
    expect(known.nearest(ANYWHERE)).to.deep.equal([])
    expect(known.actions(1_000, 1)).to.deep.equal([{ type: 'probe', contact: contact(1) }])
    known.reached(contact(1), 1_100)
    expect(known.nearest(ANYWHERE)).to.deep.equal([contact(1)])
  })

  it('does not let hearsay move a mediator that is where it is known', () => {
    const known = know()
    known.reached(contact(1), 0)
    known.heard(contact(1, 'ws://victim.example'), 1)
    expect(known.nearest(ANYWHERE)).to.deep.equal([contact(1)])
    expect(known.urlOf(contact(1).mediatorId)).to.equal(contact(1).url)
  })

  it('keeps what is alive when strangers name thousands', () => {
    const known = know()
    known.reached(contact(1), 0)
    for (let i = 2; i < 5_000; i++) known.heard(contact(i), 0)
    expect(known.nearest(ANYWHERE)).to.deep.equal([contact(1)])
    expect(known.actions(1_000, 0)).to.have.lengthOf(8)
    expect(known.urlOf(contact(2).mediatorId)).to.equal(undefined)
  })
})
