import { SUBPROTOCOL } from '@mayfly/common'
import { WebSocket } from 'ws'

/** The answer to the upgrade. */
const UPGRADE_MS = 5_000

/** Why no WebSocket opens to a mediator for pages of an origin; undefined where one does. Never rejects. */
export function probeMediator(url: string, origin: string): Promise<string | undefined> {
  return new Promise(resolve => {
    try {
      const socket = new WebSocket(url, [SUBPROTOCOL], {
        origin,
        handshakeTimeout: UPGRADE_MS,
        maxPayload: 65_536
      })
      socket.on('open', () => {
        resolve(socket.protocol === SUBPROTOCOL ? undefined : 'it does not speak the protocol of a mediator')
        socket.terminate()
      })
      socket.on('error', error => resolve(error.message === '' ? 'it is not reachable' : error.message))
      socket.on('close', () => resolve('it has closed the connection'))
    } catch (error) {
      resolve(error instanceof Error ? error.message : 'the address cannot be used')
    }
  })
}
