import { expect } from 'chai'
import type { Server } from 'node:http'
import { WebSocketServer } from 'ws'
import { openPage } from './run-in-chromium.js'

const MEDIATOR_ID = 'e'.repeat(64)

interface Frame {
  readonly type: string
  readonly fullHash?: string
  readonly fullHashes?: readonly string[]
}

describe('a page that comes back', function () {
  this.timeout(60_000)
  /** What was announced, and when. */
  const announced = new Map<string, number>()

  beforeEach(() => announced.clear())

  /** A mediator that only listens. */
  function listenTo(server: Server): void {
    new WebSocketServer({ server }).on('connection', socket => {
      socket.on('message', text => {
        const { type, fullHash, fullHashes } = JSON.parse((text as Buffer).toString()) as Frame
        if (type === 'handshake')
          socket.send(JSON.stringify({ type: 'established', mediatorId: MEDIATOR_ID }))
        if (type !== 'announce') return
        for (const each of fullHashes ?? [fullHash ?? '']) announced.set(each, performance.now())
      })
    })
  }

  async function announcedAll(count: number): Promise<void> {
    const deadline = performance.now() + 5_000
    while (announced.size < count && performance.now() < deadline) {
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }

  it('announces within a second what its store holds, and hashes nothing for it', async () => {
    const { page, close } = await openPage('./kept.entry.ts', listenTo)
    try {
      const lengths = [64 * 1_048_576, ...Array.from({ length: 200 }, (_, i) => 20_000 + i)]
      const hashes = (await page.evaluate(`kept.fill(${JSON.stringify(lengths)})`)) as string[]
      await page.reload()
      const start = performance.now()
      await page.evaluate('kept.visit()')
      await announcedAll(hashes.length)
      expect([...announced.keys()].sort()).to.deep.equal(hashes.sort())
      expect(Math.max(...announced.values()) - start).to.be.lessThan(1_000)
      expect(await page.evaluate('kept.hashed()')).to.equal(0)
    } finally {
      await close()
    }
  })

  it('seeds a file again by its handle, without hashing all of it', async () => {
    const { page, close } = await openPage('./kept.entry.ts', listenTo)
    try {
      const length = 32 * 1_048_576
      const fullHash = (await page.evaluate(`kept.seedFile(${length})`)) as string
      await announcedAll(1)
      await page.reload()
      announced.clear()
      await page.evaluate('kept.visit()')
      await announcedAll(1)
      expect([...announced.keys()]).to.deep.equal([fullHash])
      expect(await page.evaluate('kept.hashed()')).to.be.lessThan(length / 100)
    } finally {
      await close()
    }
  })
})
