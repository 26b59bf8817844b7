import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

/** The TCP port if nobody has it, else one that is free. */
export async function freeTcpPort(host, preferred) {
  return (await tryTcp(host, preferred)) ?? (await tryTcp(host, 0))
}

/** The UDP port if nobody has it, else one that is free. */
export async function freeUdpPort(host, preferred) {
  return (await tryUdp(host, preferred)) ?? (await tryUdp(host, 0))
}

/** Whether this machine has the address, so that something can listen there. */
export async function isOwnAddress(host) {
  return (await tryTcp(host, 0)) !== undefined
}

function tryTcp(host, port) {
  const server = createServer()
  return new Promise(resolve => {
    server.once('error', () => resolve(undefined))
    server.listen(port, host, () => {
      const { port: bound } = server.address()
      server.close(() => resolve(bound))
    })
  })
}

function tryUdp(host, port) {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  return new Promise(resolve => {
    socket.once('error', () => resolve(undefined))
    socket.bind(port, host, () => {
      const { port: bound } = socket.address()
      socket.close(() => resolve(bound))
    })
  })
}
