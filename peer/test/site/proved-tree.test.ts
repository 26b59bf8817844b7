import { expect } from 'chai'
import { bytesOf, chunkSizesOf, raised, readSidecar } from '../../src/site/proved-tree.js'
import { digest, fullHashOf, levelsOf, toHex } from '../../src/site/tree.js'
import { join } from '../../src/site/wire.js'
import { MIB, contentOf } from './long-content.js'

const host = { digest, fullHashOf, join, toHex }

describe('the tree that a sidecar proves', () => {
  for (const length of [1, 16_384, 300_000, MIB, MIB + 1, 3 * MIB - 5, 5 * MIB]) {
    it(`proves each chunk of ${length} bytes`, async () => {
      const { bytes, fullHash, sidecar } = await contentOf(length)
      const tree = await readSidecar(host, sidecar, fullHash)
      expect(tree?.length).to.equal(length)
      const sizes = chunkSizesOf(length)
      expect(sizes.count).to.equal(Math.ceil(length / MIB))
      for (let index = 0; index < sizes.count; index++) {
        const chunk = bytes.slice(index * MIB, index * MIB + bytesOf(sizes, index))
        const levels = await raised(host, await levelsOf(chunk), sizes.level)
        expect(levels[sizes.level]).to.deep.equal([tree?.levels[sizes.level]?.[index]])
      }
    })
  }

  it('is none where a hash, the length, the level or the end is another, or the full hash', async () => {
    const { fullHash, sidecar } = await contentOf(2 * MIB)
    const other = (await contentOf(3 * MIB)).fullHash
    for (const at of [0, 7, 15, 16, 17, sidecar.length - 1]) {
      const wrong = sidecar.slice()
      wrong[at]! ^= 1
      expect(await readSidecar(host, wrong, fullHash), `byte ${at}`).to.equal(undefined)
    }
    for (const end of [0, 16, 17, 40, sidecar.length - 32])
      expect(await readSidecar(host, sidecar.slice(0, end), fullHash), `${end} bytes`).to.equal(undefined)
    expect(await readSidecar(host, sidecar, other)).to.equal(undefined)
  })

  it('has larger chunks where a sidecar knows of no smaller ones', () => {
    expect(chunkSizesOf(4_096 * MIB)).to.include({ chunkBytes: MIB, count: 4_096, level: 6 })
    expect(chunkSizesOf(4_096 * MIB + 1)).to.include({ chunkBytes: 2 * MIB, count: 2_049, level: 7 })
  })
})
