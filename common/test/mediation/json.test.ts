import { expect } from 'chai'
import fc from 'fast-check'
import { encodeJson, type JsonValue } from '@mayfly/common'
import { isDeeperThan, utf8Length } from '../../src/mediation/json.js'

describe('encodeJson', () => {
  it('writes what JSON.stringify loses', () => {
    expect(encodeJson([-0, Infinity, -Infinity, 1, 'x', null, { a: -0 }])).to.equal(
      '[-0,1e999,-1e999,1,"x",null,{"a":-0}]'
    )
  })

  it('agrees with JSON.stringify where that loses nothing', () => {
    fc.assert(
      fc.property(fc.json(), text => {
        const value = JSON.parse(text) as JsonValue
        if (text.includes('-0') || text.includes('e'))
          expect(JSON.parse(encodeJson(value))).to.deep.equal(value)
        else expect(encodeJson(value)).to.equal(JSON.stringify(value))
      })
    )
  })
})

describe('isDeeperThan', () => {
  it('counts levels of arrays and objects', () => {
    expect(isDeeperThan(5, 0)).to.equal(false)
    expect(isDeeperThan([], 0)).to.equal(true)
    expect(isDeeperThan([1, { a: 2 }], 2)).to.equal(false)
    expect(isDeeperThan([1, { a: [] }], 2)).to.equal(true)
  })

  it('survives a million children and thirty thousand levels', () => {
    expect(
      isDeeperThan(
        Array.from<unknown, JsonValue>({ length: 1_000_000 }, () => []),
        1
      )
    ).to.equal(true)
    expect(isDeeperThan(JSON.parse('['.repeat(30_000) + ']'.repeat(30_000)) as JsonValue, 64)).to.equal(true)
  })
})

describe('utf8Length', () => {
  it('agrees with the encoder of the platform', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), text => {
        expect(utf8Length(text)).to.equal(new TextEncoder().encode(text).length)
      })
    )
  })
})
