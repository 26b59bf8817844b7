import type { Page } from 'playwright-core'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { until } from './until.js'

/** Settles when the mediator names somebody for each of the full hashes. */
export async function seeded(
  mediator: string,
  ...fullHashes: readonly (string | undefined)[]
): Promise<void> {
  const socket = new WebSocket(mediator)
  await once(socket, 'open')
  const peerId = randomBytes(20).toString('hex')
  socket.send(JSON.stringify({ type: 'handshake', connectionType: 'mediation', peerId }))
  for (const fullHash of fullHashes) {
    const ask = (): void => socket.send(JSON.stringify({ type: 'get_peers', fullHash }))
    ask()
    await new Promise<void>(resolve => {
      socket.on('message', (text: Buffer) => {
        const answer = JSON.parse(text.toString()) as {
          fullHash?: string
          peers?: unknown[]
          final?: boolean
        }
        if (answer.fullHash !== fullHash || answer.peers === undefined) return
        if (answer.peers.length > 0) resolve()
        else if (answer.final === true) setTimeout(ask, 100)
      })
    })
    socket.removeAllListeners('message')
  }
  socket.close()
}

/** Settles when the visitor holds so many objects, chunks and sidecars, and the mediator names somebody for all of them. */
export async function holds(page: Page, count: number, mediator: string): Promise<void> {
  await until(page, async all => (await (await caches.open('mayfly-objects')).keys()).length >= all, count)
  const paths = await page.evaluate(async () =>
    (await (await caches.open('mayfly-objects')).keys()).map(({ url }) => new URL(url).pathname)
  )
  await seeded(mediator, ...new Set(paths.map(path => path.split('/')[2])))
}
