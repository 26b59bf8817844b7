import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'

/** Settles when the mediator names somebody who has the object. */
export async function seeded(mediator: string, fullHash = ''): Promise<void> {
  const socket = new WebSocket(mediator)
  await once(socket, 'open')
  const peerId = randomBytes(20).toString('hex')
  const ask = (): void => socket.send(JSON.stringify({ type: 'get_peers', fullHash }))
  socket.send(JSON.stringify({ type: 'handshake', connectionType: 'mediation', peerId }))
  ask()
  await new Promise<void>(resolve => {
    socket.on('message', (text: Buffer) => {
      const { peers, final } = JSON.parse(text.toString()) as { peers?: unknown[]; final?: boolean }
      if (peers !== undefined && peers.length > 0) resolve()
      else if (final === true) setTimeout(ask, 100)
    })
  })
  socket.close()
}
