import { DEFAULT_MEDIATION_LIMITS, SUBPROTOCOL } from '@mayfly/common'
import type { OpenSocket } from '../ports/socket.js'

/** WebSockets of a page. */
export const openWebSocket: OpenSocket = (url, events) => {
  let isClosed = false
  const end = (code: number, reason: string): void => {
    if (isClosed) return
    isClosed = true
    events.onclose(code, reason)
  }
  let socket: WebSocket
  try {
    socket = new WebSocket(url, [SUBPROTOCOL])
  } catch (error) {
    // A malformed URL, or ws: on a page that came by https.
    queueMicrotask(() => end(0, error instanceof Error ? error.message : 'the address cannot be used'))
    return { send() {}, close() {} }
  }
  socket.binaryType = 'arraybuffer'
  socket.onopen = () => events.onopen()
  socket.onmessage = event => {
    const isText =
      typeof event.data === 'string' && event.data.length <= DEFAULT_MEDIATION_LIMITS.maxMessageBytes
    if (isText && !isClosed) events.onmessage(event.data as string)
    else if (!isText) socket.close()
  }
  socket.onclose = event => end(event.code, event.reason)
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    close(code) {
      // The browser calls `onclose` only when the other side agrees, which a dead one never does.
      socket.close(code === 1000 || (code !== undefined && code >= 3000) ? code : undefined)
      queueMicrotask(() => end(code ?? 1000, ''))
    }
  }
}
