import type { Data } from '@mayfly/common'
import { expect } from 'chai'
import { PartAssembly } from '../../src/core/part-assembly.js'

const bytes = (length: number, value: number): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(value)
const part = (stream: number, first: number, length: number, value = 1) => {
  return { type: 'part' as const, stream, first, bytes: bytes(length, value) }
}
const data = (stream: number, first: number, length: number): Data => {
  return { type: 'data', stream, first, proof: new Uint8Array(0), bytes: bytes(length, 9) }
}

describe('parts of a run', () => {
  let assembly: PartAssembly

  beforeEach(() => {
    assembly = new PartAssembly()
  })

  it('come in front of the bytes of the message that proves them', () => {
    expect(assembly.add(part(1, 4, 2, 1))).to.equal(true)
    expect(assembly.add(part(1, 4, 1, 2))).to.equal(true)
    expect([...(assembly.complete(data(1, 4, 2))?.bytes ?? [])]).to.deep.equal([1, 1, 2, 9, 9])
    expect(assembly.complete(data(1, 4, 2))?.bytes).to.have.length(2)
  })

  it('are forgotten when another run begins', () => {
    for (const [stream, first] of [
      [2, 4],
      [1, 8]
    ] as const) {
      assembly.add(part(1, 4, 2))
      assembly.add(part(stream, first, 3))
      expect(assembly.complete(data(stream, first, 1))?.bytes).to.have.length(4)
      assembly.add(part(1, 4, 2))
      expect(assembly.complete(data(stream, first, 1))?.bytes).to.have.length(1)
      expect(assembly.complete(data(1, 4, 1))?.bytes).to.have.length(1)
    }
  })

  it('are at most a run', () => {
    expect(assembly.add(part(1, 4, 65_535))).to.equal(true)
    expect(assembly.add(part(1, 4, 1))).to.equal(false)
    assembly.add(part(1, 8, 65_535))
    expect(assembly.complete(data(1, 8, 2))).to.equal(undefined)
    assembly.add(part(1, 8, 65_535))
    expect(assembly.complete(data(1, 8, 1))?.bytes).to.have.length(65_536)
  })
})
