import { expect } from 'chai'
import fc from 'fast-check'
import { randomBytes } from 'node:crypto'
import { DEFAULT_DIRECTORY_LIMITS as LIMITS } from '../../../src/network/directory/directory-limits.js'
import {
  batchSize,
  decodeBatch,
  decodeRecord,
  directoryKey,
  encodeBatch,
  isCurrent,
  type KeyedSeeders
} from '../../../src/network/directory/record.js'
import { Identity } from '../../../src/network/identity.js'
import type { FullHash } from '@mayfly/common'

const identity = new Identity({ seed: randomBytes(32) })
const HEADER = { url: 'wss://mediator.example/', issuedAt: 1_700_000_000_000, lifetimeMs: 1_200_000 }

function entries(count: number): KeyedSeeders[] {
  return Array.from({ length: count }, (_, i) => ({ key: randomBytes(32).toString('hex'), seeders: i * 300 }))
}

describe('directory records', () => {
  it('have the key SHA-256("mayfly directory" ‖ full hash)', () => {
    // (printf 'mayfly directory'; head -c 32 /dev/zero) | sha256sum
    const key = '2d53c643a546654ba363d2bad2a199061e5323c258ad04c78b40d48a5f07c16d'
    expect(directoryKey('0'.repeat(64) as FullHash)).to.equal(key)
  })

  for (const count of [1, 2, 3, 7, 16, 29, 30]) {
    it(`each prove themselves alone out of a batch of ${count}`, () => {
      const said = entries(count)
      const batch = decodeBatch(encodeBatch(identity, HEADER, said), LIMITS)
      expect(batch?.map(({ key, seeders }) => ({ key, seeders }))).to.deep.equal(said)
      for (const { key, seeders, bytes } of batch!) {
        const record = decodeRecord(bytes, key, LIMITS)
        expect(record).to.include({ ...HEADER, mediatorId: identity.mediatorId, seeders })
        expect(record?.isProved()).to.equal(true)
      }
    })
  }

  it('prove nothing under another key', () => {
    const [one, other] = decodeBatch(encodeBatch(identity, HEADER, entries(2)), LIMITS)!
    expect(decodeRecord(one!.bytes, other!.key, LIMITS)?.isProved()).to.equal(false)
  })

  it('prove nothing, or are refused, when any one bit is changed', () => {
    const encoded = encodeBatch(identity, HEADER, entries(3))
    fc.assert(
      fc.property(fc.integer({ min: 0, max: encoded.length * 8 - 1 }), bit => {
        const changed = Uint8Array.from(encoded)
        changed[bit >> 3]! ^= 1 << (bit & 7)
        expect(decodeBatch(changed, LIMITS)).to.equal(undefined)
      })
    )
    const { bytes, key } = decodeBatch(encoded, LIMITS)![0]!
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length * 8 - 1 }), bit => {
        const changed = Uint8Array.from(bytes)
        changed[bit >> 3]! ^= 1 << (bit & 7)
        expect(decodeRecord(changed, key, LIMITS)?.isProved() ?? false).to.equal(false)
      })
    )
  })

  it('are refused when cut short or followed by anything', () => {
    const encoded = encodeBatch(identity, HEADER, entries(2))
    const { bytes, key } = decodeBatch(encoded, LIMITS)![0]!
    for (let length = 0; length < encoded.length; length++) {
      expect(decodeBatch(encoded.subarray(0, length), LIMITS)).to.equal(undefined)
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeRecord(bytes.subarray(0, length), key, LIMITS)).to.equal(undefined)
    }
    expect(decodeBatch(Buffer.concat([encoded, Uint8Array.of(0)]), LIMITS)).to.equal(undefined)
    expect(decodeRecord(Buffer.concat([bytes, Uint8Array.of(0)]), key, LIMITS)).to.equal(undefined)
  })

  it('are refused without an exception when they are any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), bytes => {
        expect(decodeBatch(bytes, LIMITS)).to.equal(undefined)
        expect(decodeRecord(bytes, '0'.repeat(64), LIMITS)?.isProved() ?? false).to.equal(false)
      })
    )
  })

  it('are refused with a URL that is no WebSocket URL, or a lifetime that is too long', () => {
    for (const header of [
      { ...HEADER, url: 'http://mediator.example/' },
      { ...HEADER, url: 'ws://a:b@mediator.example/' },
      { ...HEADER, lifetimeMs: 1_201_000 },
      { ...HEADER, lifetimeMs: 0 }
    ]) {
      expect(decodeBatch(encodeBatch(identity, header, entries(1)), LIMITS)).to.equal(undefined)
    }
  })

  it('are refused in batches of none and of more than thirty', () => {
    expect(decodeBatch(encodeBatch(identity, HEADER, []), LIMITS)).to.equal(undefined)
    expect(decodeBatch(encodeBatch(identity, HEADER, entries(31)), LIMITS)).to.equal(undefined)
  })

  it('fit in one datagram with any URL', () => {
    for (const length of [20, 60, 61, 200]) {
      const url = `ws://${'h'.repeat(length - 5)}`
      const bytes = encodeBatch(identity, { ...HEADER, url }, entries(batchSize(length, LIMITS)))
      expect(bytes.length).to.be.at.most(LIMITS.datagramBytes)
    }
    expect(batchSize(60, LIMITS)).to.equal(30)
  })

  it('are current from a little before they were issued until their lifetime is over', () => {
    const record = { ...HEADER, mediatorId: identity.mediatorId, seeders: 1 }
    const { issuedAt, lifetimeMs } = HEADER
    expect(isCurrent(record, issuedAt - LIMITS.clockSkewMs, LIMITS)).to.equal(true)
    expect(isCurrent(record, issuedAt - LIMITS.clockSkewMs - 1, LIMITS)).to.equal(false)
    expect(isCurrent(record, issuedAt + lifetimeMs - 1, LIMITS)).to.equal(true)
    expect(isCurrent(record, issuedAt + lifetimeMs, LIMITS)).to.equal(false)
  })
})
