import { BLOCK_BYTES, BlockTree, type FullHash } from '@mayfly/common'
import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FolderStore } from '../../src/adapters/folder-store.js'
import { KeptContent } from '../../src/kept-content.js'
import { runStoreContract } from '../ports/store-contract.js'
import { blocks, hasher, same, sampleOf } from '../ports/store-sample.js'
import { flipBit } from './flip-bit.js'

runStoreContract(
  'a folder',
  async ({ maxBytes, now }) => {
    const folder = await mkdtemp(join(tmpdir(), 'mayfly-folder-store-'))
    const store = new FolderStore({ folder, maxBytes, now })
    return {
      store,
      reopen: () => Promise.resolve(new FolderStore({ folder, maxBytes, now })),
      flipBit: ({ fullHash }, block) => flipBit(join(folder, `${fullHash}.blocks`), block),
      dispose: async () => {
        await store.close()
        await rm(folder, { recursive: true })
      }
    }
  },
  { outlives: true }
)

describe('the folder store', function () {
  this.timeout(30_000)
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mayfly-folder-store-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  it('holds nothing wrong of what a process wrote that was killed, and most of it', async () => {
    const sample = await sampleOf(5, 2_000 * BLOCK_BYTES)
    const { header } = sample
    let least = 0
    for (const killAfter of [1, 40, 200, 450]) {
      const written = await writtenBeforeKilled(folder, killAfter)
      const store = new FolderStore({ folder })
      const kept = new KeptContent({ header, open: () => store.open(header.fullHash), hasher })
      const held = await kept.resume({ verify: true })
      for (const [first, count] of held) {
        expect(same(await kept.read(first, count), blocks(sample, first, count))).to.equal(true)
      }
      const count = held.reduce((sum, run) => sum + run[1], 0)
      // Sixteen writes may be ahead of the record, and as many are being recorded.
      expect(count).to.be.at.least(Math.max(least, 4 * (written - 32)))
      least = count
      await store.close()
    }
  })

  it('keeps blocks beyond 4 GiB at their places, sparsely', async () => {
    const length = 5 * 2 ** 30 + 7
    const blockCount = Math.ceil(length / BLOCK_BYTES)
    const store = new FolderStore({ folder, maxBytes: 2 ** 40 })
    // No tree of such a content is at hand: its root is anything, and nothing of it is proved here.
    const header = { fullHash: 'b'.repeat(64) as FullHash, length, piecesRoot: new Uint8Array(32).fill(3) }
    const tree = BlockTree.fromRoot(length, header.piecesRoot, hasher)
    const content = await store.create(header)
    const far = new Uint8Array(BLOCK_BYTES + 7).fill(9)
    const near = new Uint8Array(BLOCK_BYTES).fill(1)
    await content.write(blockCount - 2, far, tree)
    // The same place modulo 4 GiB.
    await content.write(blockCount - 2 - 2 ** 18, near, tree)
    await content.release()
    const again = await store.open(header.fullHash)
    expect(again?.held).to.deep.equal([
      [blockCount - 2 - 2 ** 18, 1],
      [blockCount - 2, 2]
    ])
    expect(same(await again?.read(blockCount - 2, 2), far)).to.equal(true)
    expect(same(await again?.read(blockCount - 2 - 2 ** 18, 1), near)).to.equal(true)
    const { size, blocks: sectors } = await stat(join(folder, `${header.fullHash}.blocks`))
    expect(size).to.equal(length)
    expect(sectors * 512).to.be.lessThan(2 ** 20)
  })

  it('takes a record that is cut short or nonsense for none', async () => {
    const sample = await sampleOf(1, 40 * BLOCK_BYTES)
    const { fullHash } = sample.header
    for (const damage of [0, 50, 98]) {
      const store = new FolderStore({ folder })
      const content = await store.create(sample.header)
      await content.write(0, blocks(sample, 0, 4), sample.tree)
      await content.release()
      const file = await open(join(folder, `${fullHash}.record`), 'r+')
      if (damage === 0) await file.write(new Uint8Array(8), 0, 8, 0)
      else await file.truncate(damage)
      await file.close()
      expect(await store.open(fullHash).catch(() => undefined)).to.equal(undefined)
      expect((await store.create(sample.header)).held).to.deep.equal([])
      await store.close()
    }
  })
})

/** Runs a process that writes the content of seed 5 run by run, and kills it after so many. Gives how many it told of. */
function writtenBeforeKilled(folder: string, runs: number): Promise<number> {
  const script = new URL('./folder-writer.ts', import.meta.url).pathname
  const child = spawn(process.execPath, ['--conditions=mayfly-src', '--import=tsx', script, folder], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let told = 0
  child.stdout.on('data', (text: Buffer) => {
    told += text.length
    if (told >= runs) child.kill('SIGKILL')
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => resolve(told))
  })
}
