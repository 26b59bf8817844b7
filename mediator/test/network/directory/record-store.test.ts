import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import type { MediatorId } from '@mayfly/common'
import { DEFAULT_DIRECTORY_LIMITS } from '../../../src/network/directory/directory-limits.js'
import type { RecordBatch } from '../../../src/network/directory/record.js'
import { RecordStore } from '../../../src/network/directory/record-store.js'

const LIMITS = { ...DEFAULT_DIRECTORY_LIMITS, capacity: 12, perMediator: 6, perKey: 4, perKeyAndAddress: 2 }
const NOW = 1_700_000_000_000

function id(name: string): MediatorId {
  return name.repeat(64).slice(0, 64) as MediatorId
}

function key(n: number): string {
  return n.toString(16).padStart(64, '0')
}

function record(options: Partial<RecordBatch[number]> = {}): RecordBatch[number] {
  return {
    key: key(1),
    mediatorId: id('a'),
    url: 'ws://a',
    seeders: 1,
    issuedAt: NOW,
    lifetimeMs: LIMITS.lifetimeMs,
    bytes: randomBytes(4),
    ...options
  }
}

describe('RecordStore', () => {
  it('finds what it was given, until its lifetime is over', () => {
    const store = new RecordStore(LIMITS)
    expect(store.put([record()], 'x', NOW)).to.equal(1)
    expect(store.find(key(1), NOW + LIMITS.lifetimeMs - 1)).to.have.lengthOf(1)
    expect(store.find(key(1), NOW + LIMITS.lifetimeMs)).to.deep.equal([])
    expect(store.find(key(2), NOW)).to.deep.equal([])
  })

  it('forgets what has expired', () => {
    const store = new RecordStore(LIMITS)
    store.put([record(), record({ key: key(2), lifetimeMs: 60_000 })], 'x', NOW)
    store.sweep(NOW + 59_000)
    expect(store.size).to.equal(2)
    store.sweep(NOW + 80_000)
    expect(store.size).to.equal(1)
    store.sweep(NOW + LIMITS.lifetimeMs + 20_000)
    expect(store.size).to.equal(0)
  })

  it('replaces a record by a later one, and ignores an older or equal one', () => {
    const store = new RecordStore(LIMITS)
    const [older, newer] = [record(), record({ issuedAt: NOW + 1 })]
    expect(store.put([newer], 'x', NOW)).to.equal(1)
    expect(store.put([older], 'x', NOW)).to.equal(0)
    expect(store.put([record({ issuedAt: NOW + 1 })], 'x', NOW)).to.equal(0)
    expect(store.find(key(1), NOW).map(({ bytes }) => bytes)).to.deep.equal([newer.bytes])
    expect(store.size).to.equal(1)
  })

  it('does not name a mediator that has withdrawn, also when its older record is replayed', () => {
    const store = new RecordStore(LIMITS)
    const old = record()
    store.put([old], 'x', NOW)
    store.put([record({ seeders: 0, issuedAt: NOW + 1 })], 'x', NOW + 1)
    expect(store.find(key(1), NOW + 2)).to.deep.equal([])
    expect(store.put([old], 'attacker', NOW + 2)).to.equal(0)
    // The withdrawal is there at least as long as the old record would be believed.
    store.sweep(NOW + LIMITS.lifetimeMs - 1)
    expect(store.put([old], 'attacker', NOW + LIMITS.lifetimeMs - 1)).to.equal(0)
    expect(store.put([old], 'attacker', NOW + LIMITS.lifetimeMs + 20_000)).to.equal(0)
  })

  it('refuses records from too far in the future, and does not keep those of a fast clock longer', () => {
    const store = new RecordStore(LIMITS)
    const ahead = LIMITS.clockSkewMs
    expect(store.put([record({ issuedAt: NOW + ahead + 1 })], 'x', NOW)).to.equal(0)
    expect(store.put([record({ issuedAt: NOW + ahead })], 'x', NOW)).to.equal(1)
    expect(store.find(key(1), NOW + LIMITS.lifetimeMs)).to.deep.equal([])
  })

  it('bounds the records of one mediator', () => {
    const store = new RecordStore(LIMITS)
    const batch = Array.from({ length: 10 }, (_, i) => record({ key: key(i) }))
    expect(store.put(batch, 'x', NOW)).to.equal(LIMITS.perMediator)
    // Replacing one needs no room.
    expect(store.put([record({ key: key(0), issuedAt: NOW + 1 })], 'x', NOW)).to.equal(1)
  })

  it('bounds the mediators under one key, and those of one address among them', () => {
    const store = new RecordStore(LIMITS)
    const from = (name: string, source: string): number =>
      store.put([record({ mediatorId: id(name) })], source, NOW)
    expect(from('a', 'x') + from('b', 'x')).to.equal(2)
    expect(from('c', 'x')).to.equal(0)
    expect(from('c', 'y') + from('d', 'z')).to.equal(2)
    expect(from('e', 'w')).to.equal(0)
    expect(store.find(key(1), NOW)).to.have.lengthOf(4)
  })

  it('gives a newcomer room at the cost of the address that has most, its oldest record first', () => {
    const store = new RecordStore(LIMITS)
    const put = (n: number, name: string, source: string): number =>
      store.put([record({ key: key(n), mediatorId: id(name) })], source, NOW)
    for (let i = 0; i < 5; i++) put(i, 'a', 'flood')
    for (let i = 5; i < 10; i++) put(i, 'b', 'flood')
    for (let i = 10; i < 12; i++) put(i, 'c', 'honest')
    expect(store.size).to.equal(12)
    // Another one of the flood would have to push out an honest record, or its own.
    expect(put(20, 'd', 'flood')).to.equal(0)
    expect(put(21, 'e', 'newcomer')).to.equal(1)
    expect(store.size).to.equal(12)
    expect(store.find(key(0), NOW)).to.deep.equal([])
    for (const n of [10, 11, 21]) expect(store.find(key(n), NOW), `${n}`).to.have.lengthOf(1)
  })
})
