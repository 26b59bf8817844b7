import type { FullHash } from '@mayfly/common'
import { expect } from 'chai'
import { Announcements, MAX_ANNOUNCED } from '../../src/core/announcements.js'

const hash = (n: number): FullHash => n.toString(16).padStart(64, '0') as FullHash
const hashes = (count: number): FullHash[] => Array.from({ length: count }, (_, i) => hash(i))

describe('announcements', () => {
  it('tell what is new once', () => {
    const announcements = new Announcements()
    expect(announcements.next()).to.equal(undefined)
    announcements.add([hash(1), hash(2), hash(1)])
    expect(announcements.next()).to.deep.equal({ type: 'announce', fullHashes: [hash(1), hash(2)] })
    announcements.add([hash(2)])
    expect(announcements.next()).to.equal(undefined)
  })

  it('tell what is finished only if it was told, and before what is new', () => {
    const announcements = new Announcements()
    announcements.add([hash(1)])
    announcements.next()
    announcements.add([hash(2), hash(3)])
    announcements.remove([hash(1), hash(2)])
    expect(announcements.next()).to.deep.equal({ type: 'finish', fullHashes: [hash(1)] })
    expect(announcements.next()).to.deep.equal({ type: 'announce', fullHashes: [hash(3)] })
    expect(announcements.next()).to.equal(undefined)
  })

  it('tell all again to another mediator', () => {
    const announcements = new Announcements()
    announcements.add([hash(1), hash(2)])
    announcements.next()
    announcements.remove([hash(2)])
    announcements.forgetTold()
    expect(announcements.next()).to.deep.equal({ type: 'announce', fullHashes: [hash(1)] })
  })

  it('take no more than a mediator keeps, all or nothing', () => {
    const announcements = new Announcements()
    expect(announcements.add(hashes(MAX_ANNOUNCED))).to.equal(true)
    expect(announcements.add([hash(0)])).to.equal(true)
    expect(announcements.add([hash(0), hash(MAX_ANNOUNCED)])).to.equal(false)
    announcements.remove([hash(0)])
    expect(announcements.add([hash(MAX_ANNOUNCED)])).to.equal(true)
  })

  it('fit into frames', () => {
    const announcements = new Announcements()
    announcements.add(hashes(MAX_ANNOUNCED))
    const messages = [announcements.next(), announcements.next()]
    expect(messages.flatMap(message => message?.fullHashes)).to.have.length(MAX_ANNOUNCED)
    for (const message of messages) expect(JSON.stringify(message).length).to.be.at.most(65_536)
  })
})
