import { expect } from 'chai'
import { WebSocketServer } from 'ws'
import { openPage } from './run-in-chromium.js'

const MEDIATOR_ID = 'e'.repeat(64)

describe('a page that comes back', function () {
  this.timeout(60_000)

  it('announces within a second what its store holds, and hashes nothing for it', async () => {
    /** What was announced, and when. */
    const announced = new Map<string, number>()
    const { page, close } = await openPage('./kept.entry.ts', server => {
      new WebSocketServer({ server }).on('connection', socket => {
        socket.on('message', text => {
          const message = JSON.parse((text as Buffer).toString()) as {
            type: string
            fullHash?: string
            fullHashes?: string[]
          }
          if (message.type === 'handshake')
            socket.send(JSON.stringify({ type: 'established', mediatorId: MEDIATOR_ID }))
          if (message.type !== 'announce') return
          for (const fullHash of message.fullHashes ?? [message.fullHash ?? ''])
            announced.set(fullHash, performance.now())
        })
      })
    })
    try {
      const lengths = [64 * 1_048_576, ...Array.from({ length: 200 }, (_, i) => 20_000 + i)]
      const hashes = (await page.evaluate(`kept.fill(${JSON.stringify(lengths)})`)) as string[]
      await page.reload()
      const start = performance.now()
      await page.evaluate('kept.visit()')
      while (announced.size < hashes.length && performance.now() - start < 5_000) {
        await new Promise(resolve => setTimeout(resolve, 5))
      }
      expect([...announced.keys()].sort()).to.deep.equal(hashes.sort())
      expect(Math.max(...announced.values()) - start).to.be.lessThan(1_000)
      expect(await page.evaluate('kept.hashed()')).to.equal(0)
    } finally {
      await close()
    }
  })
})
