import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FolderStore } from '../../src/adapters/folder-store.js'
import { runStoreContract } from '../ports/store-contract.js'
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
