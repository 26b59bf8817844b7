import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { expect } from 'chai'
import type { WebSocket } from 'ws'
import { WebSocket as WebSocketClass } from 'ws'
import type { Mediator, MediatorOptions } from '../src/mediator.js'
import { hash } from './core/stage.js'
import { eventually } from './eventually.js'
import { startLone, WebSocketClient } from './lone-mediator.js'
import { SELF_SIGNED } from './self-signed.js'

const UNLIMITED = {
  messagesPerSecond: 1e9,
  messagesBurst: 1e9,
  connectionsPerAddress: 1e6,
  connectionsPerSecond: 1e6,
  connectionsBurst: 1e6
}

describe('A mediator over WebSocket', () => {
  let mediator: Mediator
  const start = async (options: Partial<MediatorOptions> = {}): Promise<Mediator> => {
    mediator = await startLone(options)
    return mediator
  }
  const get = async (
    path: string,
    options: object = {}
  ): Promise<{ status: number | undefined; text: string }> => {
    const sent = request({ host: '127.0.0.1', port: mediator.port, path, agent: false, ...options }).end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of response) text += String(chunk)
    return { status: response.statusCode, text }
  }
  const upgradeStatus = async (headers: Record<string, string>): Promise<number | undefined> => {
    const socket: WebSocket = new WebSocketClass(mediator.publicUrl, { headers })
    socket.on('error', () => undefined)
    const refused = once(socket, 'unexpected-response').then(
      ([, response]) => (response as IncomingMessage).statusCode
    )
    const status = await Promise.race([refused, once(socket, 'open').then(() => 101)])
    socket.terminate()
    return status
  }
  afterEach(() => mediator.close())

  it('selects the subprotocol where it is offered, and serves those that offer none', async () => {
    await start()
    const client = await WebSocketClient.peer(mediator, 1)
    expect(client.socket.protocol).to.equal('mayfly.v1')
    expect(client.socket.extensions).to.equal('')
    expect(await upgradeStatus({})).to.equal(101)
  })

  it('introduces two peers and passes their signals on', async () => {
    const alice = await WebSocketClient.peer(await start(), 1)
    const bob = await WebSocketClient.peer(mediator, 2)
    const { mediatorId } = mediator
    alice.send({ type: 'announce', fullHash: hash(1) })
    await eventually('the announcement', () => mediator.mediation.swarms.pairs === 1)
    bob.send({ type: 'get_peers', fullHash: hash(1) })
    const to = { peerId: alice.peerId, mediatorId }
    expect(await bob.takeType('peers')).to.deep.include({ peers: [to], final: true })
    bob.signal(to, { offer: 1 })
    expect(await alice.takeType('signal')).to.deep.include({
      peerId: bob.peerId,
      mediatorId,
      data: { offer: 1 }
    })
  })

  it('closes with 1009 past maxMessageBytes, and reads what is just as long', async () => {
    const client = await WebSocketClient.peer(await start(), 1)
    client.send(' '.repeat(65_535) + '{')
    expect(await client.takeType('error')).to.include({ code: 'bad_message' })
    client.send(' '.repeat(65_537))
    expect(await client.closeCode()).to.equal(1009)
  })

  it('takes a binary frame for a bad message', async () => {
    const client = await WebSocketClient.peer(await start(), 1)
    client.socket.send(Buffer.from('{}'), { binary: true })
    expect(await client.takeType('error')).to.include({ code: 'bad_message' })
  })

  it('gives a peer id to a newcomer where the holder does not answer its ping', async () => {
    const holder = await WebSocketClient.open(await start(), 1, { autoPong: false })
    holder.send({ type: 'handshake', connectionType: 'mediation', peerId: holder.peerId })
    await holder.takeType('established')
    await WebSocketClient.peer(mediator, 1)
    expect(await holder.closeCode()).to.equal(4409)
    const loser = await WebSocketClient.open(mediator, 1)
    loser.send({ type: 'handshake', connectionType: 'mediation', peerId: loser.peerId })
    expect(await loser.takeType('error')).to.include({ code: 'peer_id_in_use' })
    expect(await loser.closeCode()).to.equal(4409)
  })

  it('cuts a reader that does not read, and keeps the others', async () => {
    await start({ limits: { ...UNLIMITED, signalsPerPair: 1e9, sendBufferBytes: 100_000 } })
    const deaf = await WebSocketClient.peer(mediator, 1)
    const talker = await WebSocketClient.peer(mediator, 2)
    deaf.send({ type: 'announce', fullHash: hash(1) })
    await eventually('the announcement', () => mediator.mediation.swarms.pairs === 1)
    talker.send({ type: 'get_peers', fullHash: hash(1) })
    await talker.takeType('peers')
    deaf.socket.pause()
    const data = 'x'.repeat(16_000)
    const to = { peerId: deaf.peerId, mediatorId: mediator.mediatorId }
    await eventually('the cut', () => {
      for (let i = 0; i < 50; i++) talker.signal(to, data)
      return mediator.mediation.sessions === 1
    })
    expect(mediator.mediation.swarms.pairs).to.equal(0)
    expect(talker.closedWith).to.equal(undefined)
  })

  it('has nothing left of 50,000 announcements, and does not grow when they come again', async function () {
    this.timeout(60_000)
    await start({ limits: { ...UNLIMITED, maxHashesPerConnection: 50_000 } })
    const heaps: number[] = []
    for (let round = 0; round < 4; round++) {
      const client = await WebSocketClient.peer(mediator, round + 1)
      for (let first = 0; first < 50_000; first += 500) {
        const fullHashes = Array.from({ length: 500 }, (_, i) => hash(round * 50_000 + first + i))
        client.send({ type: 'announce', fullHashes })
      }
      await eventually('50,000 pairs', () => mediator.mediation.swarms.pairs === 50_000, 20_000)
      client.socket.terminate()
      await eventually('no pairs', () => mediator.mediation.sessions === 0)
      const { swarms, roster, wakeAt } = mediator.mediation
      expect([swarms.pairs, swarms.size, swarms.seeders, roster.size, wakeAt]).to.deep.equal([
        0,
        0,
        0,
        0,
        undefined
      ])
      global.gc?.()
      heaps.push(process.memoryUsage().heapUsed)
    }
    // Without --expose-gc there is garbage of any age in the heap: only a bound on all four rounds says something.
    expect(Math.max(...heaps) - (heaps[0] ?? 0)).to.be.lessThan(150e6)
  })

  it('bounds the connections of an address with 429', async () => {
    await start({ limits: { connectionsPerAddress: 2 } })
    const first = await WebSocketClient.open(mediator, 1)
    await WebSocketClient.open(mediator, 2)
    expect(await upgradeStatus({})).to.equal(429)
    first.socket.terminate()
    await eventually('the end of the first', () => mediator.mediation.sessions === 1)
    expect(await upgradeStatus({})).to.equal(101)
  })

  it('bounds the new connections of an address with 429, and believes proxies only that it trusts', async () => {
    await start({ limits: { connectionsBurst: 2, connectionsPerSecond: 0.001 }, trustProxy: ['loopback'] })
    const from = (address: string): Promise<number | undefined> =>
      upgradeStatus({ 'x-forwarded-for': address })
    const statuses: (number | undefined)[] = []
    for (const end of ['::1', '::2', '::3']) statuses.push(await from(`2001:db8:0:1${end}`))
    expect(statuses).to.deep.equal([101, 101, 429])
    expect(await from('2001:db8:0:2::1')).to.equal(101)
    expect(await from('2001:db8:0:1::4, 198.51.100.1')).to.equal(101)
  })

  it('lets only pages of allowed origins in, and programs', async () => {
    await start({ origins: ['https://a.example'] })
    expect(await upgradeStatus({ origin: 'https://a.example' })).to.equal(101)
    expect(await upgradeStatus({ origin: 'https://A.example' })).to.equal(101)
    expect(await upgradeStatus({ origin: 'https://b.example' })).to.equal(403)
    expect(await upgradeStatus({ origin: 'null' })).to.equal(403)
    expect(await upgradeStatus({})).to.equal(101)
  })

  it('serves TLS', async () => {
    await start({ tls: SELF_SIGNED })
    expect(mediator.publicUrl).to.match(/^wss:/)
    const client = await WebSocketClient.open(mediator, 1, { ca: SELF_SIGNED.cert })
    client.send({ type: 'handshake', connectionType: 'mediation', peerId: client.peerId })
    await client.takeType('established')
  })

  it('answers plain HTTP', async () => {
    await start()
    expect(await get('/healthz')).to.deep.equal({ status: 200, text: 'ok\n' })
    expect(await get('/readyz?verbose')).to.deep.equal({ status: 200, text: 'ready\n' })
    expect((await get('/')).status).to.equal(426)
    expect((await get('/favicon.ico')).status).to.equal(404)
    expect((await get('/', { method: 'POST' })).status).to.equal(405)
    const { status, text } = await get('/metrics')
    expect(status).to.equal(200)
    expect(text).to.match(/^mayfly_mediator_connections 0$/m)
  })

  it('shows its metrics to this machine only, unless they are public', async () => {
    await start()
    const throughProxy = { headers: { 'x-forwarded-for': '203.0.113.7' } }
    expect((await get('/metrics', throughProxy)).status).to.equal(403)
    await mediator.close()
    await start({ metricsPublic: true })
    expect((await get('/metrics', throughProxy)).status).to.equal(200)
  })

  it('survives what is no HTTP, half a request, and connections that end anyhow', async () => {
    await start({ limits: UNLIMITED })
    const head = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
    const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
    const inputs = [
      '\0\0\0',
      head,
      `${head}\r\n`,
      `${head}${key}`,
      `${head}${key}\x81\xff`,
      `${head}${key}${'\xff'.repeat(99)}`
    ]
    for (const input of inputs) {
      const socket = connect(mediator.port, '127.0.0.1').on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(Buffer.from(input, 'latin1'), () => socket.resetAndDestroy())
      await once(socket, 'close')
    }
    await eventually('no sessions', () => mediator.mediation.sessions === 0)
    const client = await WebSocketClient.peer(mediator, 1)
    expect(client.closedWith).to.equal(undefined)
  })

  it('closes with 1012 when it goes away, however many peers it has', async () => {
    await start({ limits: UNLIMITED })
    const clients = await Promise.all(Array.from({ length: 50 }, (_, i) => WebSocketClient.peer(mediator, i)))
    clients[0]?.socket.pause()
    const started = performance.now()
    await mediator.close()
    expect(performance.now() - started).to.be.lessThan(5_000)
    for (const client of clients.slice(1)) expect(await client.closeCode()).to.equal(1012)
  })

  it('rejects where its port is in use', async () => {
    await start()
    const failure: unknown = await startLone({ port: mediator.port }).catch((error: unknown) => error)
    expect(failure).to.have.property('code', 'EADDRINUSE')
  })

  it('frees its port where the network refuses', async () => {
    await start()
    const { port } = mediator
    await mediator.close()
    const joinNetwork = (): Promise<never> => Promise.reject(new Error('no network'))
    const failure: unknown = await startLone({ port, joinNetwork }).catch((error: unknown) => error)
    expect(failure).to.have.property('message', 'no network')
    await start({ port })
    expect(mediator.port).to.equal(port)
  })
})
