import { DEFAULT_MEDIATION_LIMITS, SUBPROTOCOL } from '@mayfly/common'
import { isLocalHost } from '../core/local-network.js'
import type { OpenSocket } from '../ports/socket.js'
import { pageNetwork } from './page-network.js'

/** One that was closed before it was open is waited for so long: others to the same server wait behind it. */
const UPGRADE_MS = 5_000

/** WebSockets of a page; one of the internet has none to a local network, since the browser would ask the visitor. */
export const openWebSocket: OpenSocket = (url, events) => {
  let isClosed = false
  const end = (code: number, reason: string): void => {
    if (isClosed) return
    isClosed = true
    events.onclose(code, reason)
  }
  let socket: WebSocket
  try {
    if (pageNetwork().isPublic && isLocalHost(new URL(url).hostname))
      throw new Error('a page of the internet has no mediator at a local address')
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
      const closeIt = (): void =>
        socket.close(code === 1000 || (code !== undefined && code >= 3000) ? code : undefined)
      // A browser complains on its console of one that is closed before it is open.
      if (code !== undefined && socket.readyState === WebSocket.CONNECTING) {
        socket.onopen = closeIt
        setTimeout(closeIt, UPGRADE_MS)
      } else closeIt()
      // The browser calls `onclose` only when the other side agrees, which a dead one never does.
      queueMicrotask(() => end(code ?? 1000, ''))
    }
  }
}
