import { DEFAULT_MEDIATION_LIMITS, SUBPROTOCOL } from '@mayfly/common'
import { WebSocket } from 'ws'
import type { OpenSocket } from '../ports/socket.js'

/** The mediator's answer to the upgrade. */
const UPGRADE_MS = 5_000

/** WebSockets of Node.js. */
export const openWsSocket: OpenSocket = (url, events) => {
  let isClosed = false
  let failure = ''
  const end = (code: number, reason: string): void => {
    if (isClosed) return
    isClosed = true
    events.onclose(code, reason === '' ? failure : reason)
  }
  let socket: WebSocket
  try {
    socket = new WebSocket(url, [SUBPROTOCOL], {
      perMessageDeflate: false,
      maxPayload: DEFAULT_MEDIATION_LIMITS.maxMessageBytes,
      handshakeTimeout: UPGRADE_MS
    })
  } catch (error) {
    queueMicrotask(() => end(0, error instanceof Error ? error.message : 'the address cannot be used'))
    return { send() {}, close() {} }
  }
  socket.on('open', () => events.onopen())
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) socket.terminate()
    else if (!isClosed) events.onmessage(data.toString())
  })
  socket.on('error', error => (failure = error.message))
  socket.on('close', (code, reason) => end(code, reason.toString()))
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    close(code) {
      // Without a code it is cut: a dead mediator would not answer the closing handshake.
      if (code === undefined) socket.terminate()
      else socket.close(code)
    }
  }
}
