import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { SUBPROTOCOL } from '@mayfly/common'
import { WebSocket } from 'ws'
import type { Dial, SocketListener } from '../network/replication/socket.js'

/** Bounds of dialled connections. */
export interface DialLimits {
  /** Bytes of one frame. */
  readonly maxMessageBytes: number
  /** Milliseconds until the upgrade is answered. */
  readonly upgradeTimeoutMs: number
  /** Bytes waiting for a reader that does not read; then the connection is cut. */
  readonly queueBytes: number
  /** Whether a connection to an address may be made, once the name in the URL is resolved. */
  readonly mayConnect: (address: string) => boolean
}

/** Milliseconds that the other side has to answer a close, before the connection is cut. */
const CLOSE_MS = 1_000

/** Dials with ws: no compression, no redirects, every limit set. */
export function wsDial(limits: DialLimits): Dial {
  return (url, listener) => {
    const once = closedOnce(listener)
    let socket: WebSocket
    try {
      socket = new WebSocket(url, [SUBPROTOCOL], {
        maxPayload: limits.maxMessageBytes,
        perMessageDeflate: false,
        handshakeTimeout: limits.upgradeTimeoutMs,
        followRedirects: false,
        lookup: guarded(limits.mayConnect)
      })
    } catch (error) {
      queueMicrotask(() => once.closed(String(error)))
      return { send: () => undefined, close: () => undefined, bufferedAmount: 0 }
    }
    socket.on('open', () => listener.opened())
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) socket.close(1003, 'text only')
      else once.received(data.toString('utf8'))
    })
    // An error is followed by `close`, which tells.
    let why = ''
    socket.on('error', error => (why = error.message))
    socket.on('close', (code, reason) => once.closed(why || `${code} ${reason.toString('utf8')}`))
    return {
      send: text => {
        if (socket.readyState !== WebSocket.OPEN) return
        if (socket.bufferedAmount > limits.queueBytes) socket.terminate()
        else socket.send(text)
      },
      close: (code, reason) => {
        if (socket.readyState === WebSocket.CLOSED) return
        if (socket.readyState !== WebSocket.OPEN) {
          socket.terminate()
          return
        }
        socket.close(code, reason)
        setTimeout(() => socket.terminate(), CLOSE_MS).unref()
      },
      get bufferedAmount() {
        return socket.bufferedAmount
      }
    }
  }
}

/** A name that a stranger chose can resolve to anything: looked at after it is resolved, before it is dialled. */
function guarded(mayConnect: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, options, (error, found, family) => {
      const addresses = typeof found === 'string' ? [found] : (found ?? []).map(({ address }) => address)
      const refused = error === null && !addresses.every(mayConnect)
      callback(refused ? new Error(`${hostname} leads into the local network`) : error, found, family)
    })
  }
}

function closedOnce(listener: SocketListener): Pick<SocketListener, 'closed' | 'received'> {
  let over = false
  return {
    received: text => {
      if (!over) listener.received(text)
    },
    closed: reason => {
      if (over) return
      over = true
      listener.closed(reason)
    }
  }
}
