import { expect } from 'chai'
import fc from 'fast-check'
import { createHash } from 'node:crypto'
import {
  FullHashBuilder,
  MAX_SIDECAR_BYTES,
  decodeSidecar,
  encodeSidecar,
  type Hasher
} from '../src/index.js'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const hasher: Hasher = { block: sha256, node: sha256 }
const maxLength = 2 ** 36

async function contentOf(length: number) {
  const builder = new FullHashBuilder(hasher)
  await builder.update(new Uint8Array(length).fill(7))
  return builder.finish()
}

describe('a sidecar', () => {
  for (const length of [0, 1, 16_384, 16_385, 65_537, 3_000_001, 70_000_000]) {
    it(`of ${length} bytes tells the hashes of a level and all above it`, async () => {
      const { fullHash, tree } = await contentOf(length)
      const bytes = encodeSidecar(tree)
      expect(bytes.length).to.be.at.most(MAX_SIDECAR_BYTES)
      const told = decodeSidecar(bytes, { fullHash, hasher, maxLength })
      expect(told?.length).to.equal(length)
      expect(told?.piecesRoot).to.deep.equal(tree.piecesRoot)
      if (tree.height >= 2) {
        expect(told?.node(2, 0)).to.deep.equal(tree.node(2, 0))
        expect(told?.node(0, 0)).to.equal(undefined)
      }
    })
  }

  it('of another content, changed, cut short or longer than allowed is none', async () => {
    const { fullHash, tree } = await contentOf(3_000_001)
    const bytes = encodeSidecar(tree)
    const read = (changed: Uint8Array, more = {}) =>
      decodeSidecar(changed, { fullHash, hasher, maxLength, ...more })
    const other = (await contentOf(3_000_000)).fullHash
    expect(read(bytes, { fullHash: other })).to.equal(undefined)
    expect(read(bytes, { maxLength: 3_000_000 })).to.equal(undefined)
    expect(read(bytes.subarray(0, bytes.length - 1))).to.equal(undefined)
    for (const at of [0, 9, 15, 16, 17, bytes.length - 1]) {
      const changed = bytes.slice()
      changed[at]! ^= 1
      expect(read(changed), `byte ${at} changed`).to.equal(undefined)
    }
  })

  it('is none whatever the bytes are, and nothing throws', async () => {
    const { fullHash, tree } = await contentOf(100_000)
    const good = encodeSidecar(tree)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20), (noise, kept) => {
        const bytes = Uint8Array.from([...good.subarray(0, kept), ...noise])
        expect(decodeSidecar(bytes, { fullHash, hasher, maxLength })).to.equal(undefined)
      })
    )
  })

  it('adds what it tells to a tree that knows something else', async () => {
    const { fullHash, tree } = await contentOf(3_000_001)
    const told = decodeSidecar(encodeSidecar(tree), { fullHash, hasher, maxLength })!
    const leaves = [0, 1, 2, 3].map(block => tree.node(0, block)!)
    expect(told.verify(0, leaves, new Uint8Array(0), 2)).to.equal(true)
    expect(told.learn(tree)).to.equal(true)
    expect(told.leaves).to.deep.equal(tree.leaves)
    expect(told.learn((await contentOf(5)).tree)).to.equal(false)
  })
})
