import { expect } from 'chai'
import { OPCODE } from './frame.js'
import type { RawClient } from './raw-client.js'
import { randomHash, randomHashes, randomPeerId } from './random-id.js'
import { ownStage } from './stage.js'
import { eventually, within } from './time.js'

const MIB = 1024 * 1024
/** A heap in which nothing can pile up for long: a leak is a crash. */
const SMALL_HEAP = { NODE_OPTIONS: '--max-old-space-size=160' }

describe('Conformance: hostile frames', () => {
  const stage = ownStage({ env: SMALL_HEAP })
  let witness: RawClient

  beforeEach(async () => {
    witness = await stage.peer()
  })

  afterEach(() => {
    expect(stage.mediator.isRunning).to.equal(true)
  })

  const broken: Record<string, (client: RawClient) => void> = {
    'a text frame that is no UTF-8': client =>
      client.sendFrame({ opcode: OPCODE.text, payload: Buffer.from('7b22ff22c328', 'hex') }),
    'a text that ends within a character': client =>
      client.sendFrame({ opcode: OPCODE.text, payload: Buffer.from('"🦋"').subarray(0, 4) }),
    'a frame without a mask': client =>
      client.sendFrame({ opcode: OPCODE.text, payload: '{}', masked: false }),
    'a reserved bit': client => client.sendFrame({ opcode: OPCODE.text, payload: '{}', reserved: 4 }),
    'an unknown opcode': client => client.sendFrame({ opcode: 5, payload: '' }),
    'a ping that is too long': client => client.sendFrame({ opcode: OPCODE.ping, payload: 'x'.repeat(126) }),
    'a fragmented ping': client => client.sendFrame({ opcode: OPCODE.ping, payload: '', final: false }),
    'a continuation of nothing': client => client.sendFrame({ opcode: OPCODE.continuation, payload: '{}' }),
    'a text within a fragmented text': client => {
      client.sendFrame({ opcode: OPCODE.text, payload: '{', final: false })
      client.sendFrame({ opcode: OPCODE.text, payload: '}' })
    },
    'a thousand fragments': client => {
      client.sendFrame({ opcode: OPCODE.text, payload: '', final: false })
      for (let part = 0; part < 1000; part++) {
        client.sendFrame({ opcode: OPCODE.continuation, payload: ' ', final: false })
      }
    },
    'a length of 2^63': client => {
      client.sendBytes(Buffer.from('81ff800000000000000000000000', 'hex'))
    },
    'a close frame of one byte': client => client.sendFrame({ opcode: OPCODE.close, payload: 'x' }),
    'a close frame with a reserved code': client =>
      client.sendFrame({ opcode: OPCODE.close, payload: Buffer.of(0x03, 0xed) }),
    'bytes that are no WebSocket': client => client.sendBytes(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  }

  for (const [name, write] of Object.entries(broken)) {
    it(`end the connection that sent ${name}, its announcements, and nothing else`, async () => {
      const fullHash = randomHash()
      const client = await stage.seeder([fullHash])
      write(client)
      await within(3000, client.closed, 'the end of the connection')
      await eventually(async () => expect((await witness.ask(fullHash)).peers).to.deep.equal([]), 2000)
    })
  }

  it('may come byte by byte', async () => {
    const client = await stage.peer()
    const fullHash = randomHash()
    const text = JSON.stringify({ type: 'get_peers', fullHash })
    const bytes = [...Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), ...Buffer.from(text)]
    for (const byte of bytes) {
      client.sendBytes(Buffer.of(byte))
      await new Promise(resolve => setImmediate(resolve))
    }
    expect((await client.takeType('peers')).fullHash).to.equal(fullHash)
  })

  it('in a flood of pings do not stop the others from being served', async () => {
    const client = await stage.peer()
    for (let sent = 0; sent < 20_000; sent++)
      client.sendFrame({ opcode: OPCODE.ping, payload: 'x'.repeat(100) })
    await within(4000, witness.settled(), 'an answer to the other connection')
  })

  it('in a flood of ten thousand questions do not stop the others from being served', async () => {
    const client = await stage.peer()
    const questions = Array.from({ length: 10_000 }, () => ({ type: 'get_peers', fullHash: randomHash() }))
    for (const question of questions) client.send(question)
    await within(6000, witness.settled(), 'an answer to the other connection')
    client.destroy()
    await within(2000, (await stage.peer()).settled(), 'an answer to a new connection')
  })

  it('at the open door do not stop the others from being served', async () => {
    const requests = [
      'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 99\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\nx',
      `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      'GET //[::: HTTP/1.1\r\nHost: ]:[\r\n\r\n',
      'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
      '\u0000\u0000\u0000',
      'GET /%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n'
    ]
    for (const request of requests) {
      const response = await rawRequest(stage.mediator.listening.mediatorPort, request)
      expect(response).to.not.match(/^HTTP\/1\.1 (101|2)/)
      await within(2000, witness.settled(), 'an answer to the other connection')
    }
  })
})

/** Sends bytes and gives whatever comes back until the connection ends, or for half a second. */
async function rawRequest(port: number, request: string): Promise<string> {
  const { connect } = await import('node:net')
  const socket = connect(port, '127.0.0.1')
  let response = ''
  socket.on('data', chunk => (response += chunk.toString('latin1')))
  socket.on('error', () => undefined)
  socket.write(request)
  const ended = new Promise<void>(resolve => socket.on('close', () => resolve()))
  await within(500, ended, 'the end').catch(() => undefined)
  socket.destroy()
  return response
}

describe('Conformance: a reader that does not read', () => {
  const stage = ownStage({ env: SMALL_HEAP, limits: { signalsPerPair: 1_000_000 } })

  it('of signals is cut past sendBufferBytes, and memory stays bounded', async function () {
    this.timeout(20_000)
    const [sender, receiver] = await stage.introduced()
    receiver.pause()
    const before = stage.mediator.residentBytes
    const data = 'x'.repeat(16_000)
    let most = before
    // The operating system buffers some MiB on its own; 64 MiB are far beyond that.
    for (let sent = 0; sent < 4000 && sender.inbox.length === 0; sent += 20) {
      for (let more = 0; more < 20; more++) sender.send({ type: 'signal', ...receiver.address, data })
      await sender.settled()
      most = Math.max(most, stage.mediator.residentBytes)
    }
    expect(sender.inbox[0]).to.include({ code: 'peer_unreachable', peerId: receiver.peerId })
    expect(most - before).to.be.below(80 * MIB)
    receiver.resume()
    await within(3000, receiver.closed, 'the end of the connection')
  })

  it('of answers to its own questions does not fill the memory', async function () {
    this.timeout(20_000)
    const fullHash = randomHash()
    await stage.seeders(8, fullHash)
    const client = await stage.peer()
    client.pause()
    const before = stage.mediator.residentBytes
    for (let sent = 0; sent < 20_000 && client.isOpen; sent += 500) {
      for (let more = 0; more < 500; more++) client.send({ type: 'get_peers', fullHash })
      await (await stage.peer()).settled()
      expect(stage.mediator.residentBytes - before).to.be.below(80 * MIB)
    }
    expect(stage.mediator.isRunning).to.equal(true)
  })

  it('of errors does not fill the memory', async function () {
    this.timeout(20_000)
    const client = await stage.peer()
    client.pause()
    const before = stage.mediator.residentBytes
    const stranger = { peerId: randomPeerId(), mediatorId: randomHash() }
    for (let sent = 0; sent < 60_000 && client.isOpen; sent += 3000) {
      for (let more = 0; more < 3000; more++) client.send({ type: 'signal', ...stranger, data: 1 })
      await (await stage.peer()).settled()
      expect(stage.mediator.residentBytes - before).to.be.below(80 * MIB)
    }
    expect(stage.mediator.isRunning).to.equal(true)
  })
})

describe('Conformance: 50,000 announcements', () => {
  const SESSIONS = 49
  const stage = ownStage({ env: SMALL_HEAP, limits: { maxHashes: SESSIONS * 1024 } })

  async function announceAll(): Promise<string[]> {
    const samples: string[] = []
    for (let session = 0; session < SESSIONS; session++) {
      const peer = await stage.peer()
      const hashes = randomHashes(1024)
      peer.send({ type: 'announce', fullHashes: hashes.slice(0, 512) })
      peer.send({ type: 'announce', fullHashes: hashes.slice(512) })
      await peer.settled()
      expect(peer.inbox).to.deep.equal([])
      samples.push(hashes[session] ?? '')
    }
    return samples
  }

  /** Waits until nobody is named for the hashes any more. */
  async function untilGone(samples: readonly string[]): Promise<void> {
    const asker = await stage.peer()
    await eventually(async () => {
      for (const fullHash of samples) expect((await asker.ask(fullHash)).peers).to.deep.equal([])
    }, 8000)
  }

  it('are taken, found, and nothing is left behind by connections that are gone', async function () {
    this.timeout(60_000)
    // maxHashes is just enough for one round: whatever a round left behind refuses the next.
    for (let round = 0; round < 2; round++) {
      const samples = await announceAll()
      const asker = await stage.peer()
      for (const fullHash of samples) expect((await asker.ask(fullHash)).peers).to.have.length(1)
      expect(await asker.refusal({ type: 'announce', fullHash: randomHash() })).to.equal('too_many_hashes')
      stage.clear()
      await untilGone(samples)
    }
  })

  it('leave no memory behind over ten rounds @long', async function () {
    this.timeout(300_000)
    const resident: number[] = []
    for (let round = 0; round < 10; round++) {
      const samples = await announceAll()
      stage.clear()
      await untilGone(samples)
      resident.push(stage.mediator.residentBytes)
    }
    const [third = 0, last = 0] = [resident[2], resident[9]]
    expect((last - third) / MIB, `resident: ${resident.join()}`).to.be.below(48)
  })

  it('leave no memory behind over many short visits @long', async function () {
    this.timeout(300_000)
    const resident: number[] = []
    for (let round = 0; round < 10; round++) {
      for (let visit = 0; visit < 500; visit++) {
        const [sender, receiver] = await stage.introduced()
        sender.send({ type: 'signal', ...receiver.address, data: 'x' })
        await receiver.takeType('signal')
        await Promise.all([sender.close(), receiver.close()])
      }
      stage.clear()
      resident.push(stage.mediator.residentBytes)
    }
    const [third = 0, last = 0] = [resident[2], resident[9]]
    expect((last - third) / MIB, `resident: ${resident.join()}`).to.be.below(32)
  })
})
