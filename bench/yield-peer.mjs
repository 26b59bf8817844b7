// One process in a place of the emulated network. What it says, and what it is told, is one line of JSON each.
//   node yield-peer.mjs seed <mediator> <bytes>       says { fullHash } and seeds until its input ends
//   node yield-peer.mjs get <mediator> <full hash>    fetches until its input ends
//   node yield-peer.mjs echo <address>                says { port } and sends every datagram back
//   node yield-peer.mjs ping <address> <port> <ms>    says { waits, bytesPerSecond }: round trips in ms, sent on the link
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { connect } from '@mayfly/peer'

const PING_EVERY_MS = 20
/** More than any queue holds. */
const LAST_PING_MS = 1_000
const SENT = '/sys/class/net/wan0/statistics/tx_bytes'

const roles = { seed, get, echo, ping }
const [role, ...args] = process.argv.slice(2)
process.stdin.resume().once('end', () => process.exit(0))
await roles[role](...args)

function say(message) {
  console.log(JSON.stringify(message))
}

async function seed(mediator, bytes) {
  const session = await connect(mediator)
  const fullHash = await session.seed(randomBytes(Number(bytes)))
  await session.announced(fullHash)
  say({ fullHash })
}

async function get(mediator, fullHash) {
  const session = await connect(mediator, { share: false })
  const download = session.get(fullHash)
  download.addEventListener('verified', () => say({}), { once: true })
  await download.done
  throw new Error('all has arrived before the time was up')
}

function echo(address) {
  const socket = createSocket('udp4')
  socket.on('message', (message, { address: from, port }) => socket.send(message, port, from))
  socket.bind(0, address, () => say({ port: socket.address().port }))
}

async function ping(address, port, ms) {
  const socket = createSocket('udp4')
  const waits = []
  socket.on('message', message => waits.push(performance.now() - message.readDoubleBE()))
  const before = Number(readFileSync(SENT, 'utf8'))
  const begunAt = performance.now()
  const timer = setInterval(() => {
    const message = Buffer.alloc(8)
    message.writeDoubleBE(performance.now())
    socket.send(message, Number(port), address)
  }, PING_EVERY_MS)
  await new Promise(resolve => setTimeout(resolve, Number(ms)))
  clearInterval(timer)
  const sent = Number(readFileSync(SENT, 'utf8')) - before
  const bytesPerSecond = (sent * 1000) / (performance.now() - begunAt)
  await new Promise(resolve => setTimeout(resolve, LAST_PING_MS))
  say({ waits, bytesPerSecond })
}
