import type { Page } from 'playwright-core'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'

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

/** Keys of all that the visitor holds of the sites of a page's origin: full hashes, those of chunks and of sidecars. */
export function keysIn(page: Page): Promise<string[]> {
  return page.evaluate(async () =>
    (await (await caches.open('mayfly-objects')).keys()).map(({ url }) =>
      new URL(url).pathname.slice('/mayfly/'.length)
    )
  )
}

/** Settles when the visitor holds so many objects, chunks and sidecars, and the mediator, if any, names somebody for all of them. */
export async function holds(page: Page, count: number, mediator?: string): Promise<void> {
  while ((await keysIn(page)).length < count) await page.waitForTimeout(50)
  const fullHashes = (await keysIn(page)).map(key => key.slice(0, 64))
  if (mediator) await seeded(mediator, ...new Set(fullHashes))
}

/** The visitor holds these files of the page's site, as from an earlier visit. */
export function fill(
  page: Page,
  files: readonly (readonly [path: string, { readonly fullHash: string; readonly bytes: Uint8Array }])[],
  manifest = 'mayfly-manifest.json'
): Promise<void> {
  return page.evaluate(
    async ([all, at]) => {
      const cache = await caches.open('mayfly-objects')
      const site = encodeURIComponent(new URL(at, location.origin).href)
      for (const [fullHash, text] of all) {
        const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0))
        await cache.put(`/mayfly/${fullHash}?${bytes.length}&${site}`, new Response(bytes))
      }
    },
    [
      files.map(([, { fullHash, bytes }]) => [fullHash, Buffer.from(bytes).toString('base64')] as const),
      manifest
    ] as const
  )
}
