import { expect } from 'chai'
import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { FullHashBuilder, fullHashOf, toHex } from '../src/index.js'
import { nodeHasher } from './node-hasher.js'

interface Vector {
  length: number
  piecesRoot: string
  fullHash: string
}

const { vectors } = JSON.parse(
  readFileSync(new URL('./vectors/full-hash.json', import.meta.url), 'utf8')
) as { vectors: Vector[] }

/** The input of the vectors: SHA-256('mayfly:0') ‖ SHA-256('mayfly:1') ‖ … */
function input(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(length / 32) * 32)
  for (let i = 0; i * 32 < length; i++) bytes.set(createHash('sha256').update(`mayfly:${i}`).digest(), i * 32)
  return bytes.subarray(0, length)
}

async function hash(bytes: Uint8Array<ArrayBuffer>, cuts: number[] = []) {
  const builder = new FullHashBuilder(nodeHasher)
  let from = 0
  for (const cut of [...cuts, bytes.length]) {
    await builder.update(bytes.slice(from, cut))
    from = cut
  }
  return builder.finish()
}

describe('full hash', () => {
  for (const vector of vectors) {
    it(`is the one of the vector of ${vector.length} bytes`, async () => {
      const { fullHash, length, tree } = await hash(input(vector.length))
      expect(toHex(tree.piecesRoot)).to.equal(vector.piecesRoot)
      expect(length).to.equal(vector.length)
      expect(fullHash).to.equal(vector.fullHash)
    })
  }

  it('does not depend on how the stream is cut', async () => {
    const bytes = input(65_537)
    const { fullHash } = await hash(bytes)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: bytes.length })), async cuts => {
        const sorted = cuts.toSorted((a, b) => a - b)
        expect((await hash(bytes, sorted)).fullHash).to.equal(fullHash)
      }),
      { numRuns: 50 }
    )
  })

  it('binds the length: two child hashes are no file of the same full hash', async () => {
    const { tree, length, fullHash } = await hash(input(32_768))
    const leaves = tree.leaves as Uint8Array<ArrayBuffer>
    const forged = await hash(leaves)
    expect(toHex(forged.tree.piecesRoot)).to.equal(toHex(tree.piecesRoot))
    expect(forged.fullHash).to.not.equal(fullHash)
    expect(fullHashOf(tree.piecesRoot, length, nodeHasher)).to.equal(fullHash)
  })

  it('writes lengths above 4 GiB as 64 bits', () => {
    const root = new Uint8Array(32)
    const bytes = Buffer.alloc(40)
    bytes.writeBigUInt64BE(2n ** 53n - 1n, 32)
    const expected = createHash('sha256').update(bytes).digest('hex')
    expect(fullHashOf(root, 2 ** 53 - 1, nodeHasher)).to.equal(expected)
  })
})
