import type { Server } from 'node:http'
import { WebSocketServer } from 'ws'

/** The server of the contract of sockets: see `ServerUrl`. */
export function serveSockets(server: Server): WebSocketServer {
  const sockets = new WebSocketServer({ server, handleProtocols: protocols => [...protocols][0] ?? false })
  sockets.on('connection', socket => {
    socket.on('message', (data: Buffer) => {
      const [order, ...rest] = data.toString().split(' ')
      if (order === 'echo') socket.send(rest.join(' '))
      else if (order === 'protocol') socket.send(socket.protocol)
      else if (order === 'binary') socket.send(new Uint8Array(3))
      else if (order === 'large') socket.send('x'.repeat(65_537))
      else if (order === 'close') socket.close(Number(rest[0]), rest.slice(1).join(' '))
    })
  })
  return sockets
}
