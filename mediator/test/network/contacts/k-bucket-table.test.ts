import { expect } from 'chai'
import { createHash, randomBytes } from 'node:crypto'
import type { MediatorContact, MediatorId } from '@mayfly/common'
import { KBucketTable, nearnessKey } from '../../../src/adapters/k-bucket-table.js'

function contact(n: number, url = `ws://mediator-${n}.example`): MediatorContact {
  return { mediatorId: n.toString(16).padStart(64, '0') as MediatorId, url }
}

function distance(url: string, id: Uint8Array): string {
  return Buffer.from(nearnessKey(url).map((byte, i) => byte ^ id[i]!)).toString('hex')
}

describe('KBucketTable', () => {
  it('has a mediator at the first 160 bits of SHA-256 of its URL', () => {
    const hash = createHash('sha256').update('ws://a').digest('hex')
    expect(Buffer.from(nearnessKey('ws://a')).toString('hex')).to.equal(hash.slice(0, 40))
  })

  it('gives all contacts, nearest first', () => {
    const table = new KBucketTable('ws://own.example')
    for (let i = 0; i < 15; i++) expect(table.add(contact(i))).to.equal(true)
    for (let i = 0; i < 20; i++) {
      const id = randomBytes(20)
      const urls = table.nearest(id).map(({ url }) => url)
      expect(urls).to.have.lengthOf(15)
      const distances = urls.map(url => distance(url, id))
      expect(distances).to.deep.equal([...distances].sort())
    }
  })

  it('orders ids that agree with the asked one in more than 53 bits', () => {
    const table = new KBucketTable('ws://own.example')
    const near = nearnessKey('ws://mediator-1.example')
    for (let i = 0; i < 5; i++) table.add(contact(i))
    const id = Uint8Array.from(near)
    id[19]! ^= 1
    expect(table.nearest(id)[0]).to.deep.equal(contact(1))
  })

  it('follows a mediator to another URL, and forgets it when told', () => {
    const table = new KBucketTable('ws://own.example')
    table.add(contact(1))
    table.add(contact(1, 'ws://moved.example'))
    expect(table.nearest(new Uint8Array(20))).to.deep.equal([contact(1, 'ws://moved.example')])
    table.remove(contact(1).mediatorId)
    table.remove(contact(2).mediatorId)
    expect(table.size).to.equal(0)
    expect(table.nearest(new Uint8Array(20))).to.deep.equal([])
  })

  it('has one mediator per URL: the one that came last', () => {
    const table = new KBucketTable('ws://own.example')
    table.add(contact(1, 'ws://same.example'))
    table.add(contact(2, 'ws://same.example'))
    expect(table.nearest(new Uint8Array(20))).to.deep.equal([contact(2, 'ws://same.example')])
    table.remove(contact(1).mediatorId)
    expect(table.size).to.equal(1)
  })

  it('stays bounded when thousands are added', () => {
    const table = new KBucketTable('ws://own.example')
    let kept = 0
    for (let i = 0; i < 3_000; i++) if (table.add(contact(i))) kept++
    expect(table.size).to.equal(kept)
    expect(table.nearest(new Uint8Array(20))).to.have.lengthOf(kept)
    expect(kept).to.be.within(40, 500)
  })
})
