import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openWsSocket } from '../../src/adapters/ws-socket.js'
import { runSocketContract } from '../ports/socket-contract.js'
import { serveSockets } from '../ports/socket-server.js'

describe('WebSockets of Node.js', () => {
  const server = createServer()
  const sockets = serveSockets(server)

  after(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.close()
  })

  runSocketContract('ws', openWsSocket, async () => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`
  })
})
