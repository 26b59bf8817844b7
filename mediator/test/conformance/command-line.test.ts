import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect } from 'chai'
import { randomHash } from './random-id.js'
import { itTogether } from './it-together.js'
import { expectOneLine, itRefuses } from './it-refuses.js'
import { runToExit } from './spawned-mediator.js'
import { ownStage } from './stage.js'
import { eventually, within } from './time.js'

describe('Conformance: command line of mayfly-mediator', function () {
  this.timeout(40_000)
  const stage = ownStage({})

  it('prints one line of JSON on standard output as soon as it serves, and nothing else ever', async () => {
    const mediator = await stage.start()
    await stage.peer({ mediator })
    const { event, mediatorPort, dhtPort, mediatorId, ...rest } = mediator.listening
    expect(event).to.equal('listening')
    expect(mediatorPort).to.be.within(1, 65_535)
    expect(dhtPort).to.be.within(1, 65_535)
    expect(mediatorId).to.match(/^[0-9a-f]{64}$/)
    expect(rest).to.deep.equal({})
    const { code, stdout } = await mediator.stop()
    expect(code).to.equal(0)
    expect(stdout).to.match(/^\{[^\n]*\}\n$/)
  })

  it('has a new mediator id at each start', async () => {
    const another = await stage.start()
    expect(another.mediatorId).to.not.equal(stage.mediator.mediatorId)
    await another.kill()
  })

  it('serves at the ports that it is given', async () => {
    const first = await stage.start()
    const { mediatorPort, dhtPort } = first.listening
    await first.stop()
    const second = await stage.start({ mediatorPort, dhtPort })
    expect(second.listening).to.include({ mediatorPort, dhtPort })
    await stage.peer({ mediator: second })
    await second.kill()
  })

  it('drains on SIGTERM: its peers get 1012, and it exits with 0', async () => {
    const mediator = await stage.start()
    const peers = [
      await stage.peer({ mediator }),
      await stage.peer({ mediator }),
      await stage.socket({ mediator })
    ]
    const exit = mediator.stop()
    for (const peer of peers) expect(await within(5000, peer.closed, 'the close')).to.equal(1012)
    expect((await exit).code).to.equal(0)
  })

  it('exits on SIGTERM although a peer does not read its close frame', async () => {
    const mediator = await stage.start()
    const peer = await stage.peer({ mediator })
    peer.pause()
    expect((await mediator.stop()).code).to.equal(0)
  })

  it('shows its arguments with --help and its version with --version, and exits with 0', async () => {
    const [help, version] = await Promise.all([runToExit(['--help']), runToExit(['--version'])])
    expect(help.code).to.equal(0)
    const text = help.stdout + help.stderr
    for (const word of [
      'mediator-port',
      'dht-port',
      'bootstrap-address',
      '--host',
      '--public-url',
      '--trust-proxy',
      '--data-dir',
      '--tls-cert',
      '--tls-key',
      '--origin',
      '--ice-server',
      '--help',
      '--version',
      'MAYFLY_LIMITS'
    ]) {
      expect(text).to.include(word)
    }
    expect(version.code).to.equal(0)
    expect(version.stdout + version.stderr).to.match(/\d+\.\d+\.\d+/)
  })
})

describe('Conformance: wrong arguments of mayfly-mediator', () => {
  itRefuses('are refused with one line and exit 2:', {
    'no arguments': { args: [] },
    'one port only': { args: ['0'] },
    'a port that is a word': { args: ['http', '0'] },
    'a DHT port beyond 65,535': { args: ['0', '99999'] },
    'a fraction as port': { args: ['0', '1.5'] },
    'a bootstrap address without port': { args: ['0', '0', 'localhost'] },
    'a bootstrap address with a word as port': { args: ['0', '0', '127.0.0.1:dht'] },
    'a fourth argument': { args: ['0', '0', '127.0.0.1:4000', 'more'] },
    'an unknown option': { args: ['0', '0', '--verbosity', '9'] },
    'a public URL that is none': { args: ['0', '0', '--public-url', 'http://x'] }
  })
})

describe('Conformance: more wrong arguments of mayfly-mediator @long', () => {
  itRefuses('are refused with one line and exit 2:', {
    'an empty port': { args: ['', '0'] },
    'a port beyond 65,535': { args: ['65536', '0'] },
    'a negative port': { args: ['-1', '0'] },
    'hexadecimal digits as port': { args: ['0x10', '0'] },
    'a bootstrap address with port 0': { args: ['0', '0', '127.0.0.1:0'] },
    'a bootstrap address without host': { args: ['0', '0', ':4000'] },
    'a bootstrap address with a port beyond 65,535': { args: ['0', '0', '127.0.0.1:70000'] },
    'an option without its value': { args: ['0', '0', '--public-url'] },
    'a certificate without its key': { args: ['0', '0', '--tls-cert', 'nowhere.pem'] }
  })
})

describe('Conformance: files of mayfly-mediator that cannot be read', function () {
  this.timeout(40_000)
  it('end it with one line', async () => {
    const exit = await runToExit(['0', '0', '--tls-cert', 'nowhere.pem', '--tls-key', 'nowhere.key'])
    expectOneLine(exit, 1)
    expect(exit.stderr).to.match(/--tls-cert: nowhere\.pem cannot be read: no such file or directory/)
  })
})

describe('Conformance: an address of another machine', function () {
  this.timeout(40_000)
  it('ends the mediator with one line and exit 1', async () => {
    const exit = await runToExit(['0', '0', '--host', '192.0.2.1'])
    expectOneLine(exit, 1)
    expect(exit.stderr).to.match(/--host: 192\.0\.2\.1 is not an address of this machine/)
  })
})

describe('Conformance: ports in use', function () {
  this.timeout(40_000)
  const stage = ownStage({})

  it('of peers end the mediator with one line and exit 1', async () => {
    const { mediatorPort } = stage.mediator.listening
    const exit = await runToExit([String(mediatorPort), '0'])
    expectOneLine(exit, 1)
    expect(exit.stderr).to.include(String(mediatorPort))
  })

  it('of the DHT end the mediator with one line and exit 1', async () => {
    const { dhtPort } = stage.mediator.listening
    const exit = await runToExit(['0', String(dhtPort)])
    expectOneLine(exit, 1)
    expect(exit.stderr).to.include(String(dhtPort))
  })

  it('by another program on one address end the mediator too', async () => {
    const tcp = createServer().listen(0, '127.0.0.1')
    const udp = createSocket('udp4').bind(0, '127.0.0.1')
    await Promise.all([once(tcp, 'listening'), once(udp, 'listening')])
    try {
      expectOneLine(await runToExit([String((tcp.address() as AddressInfo).port), '0']), 1)
      expectOneLine(await runToExit(['0', String(udp.address().port)]), 1)
    } finally {
      tcp.close()
      udp.close()
    }
  })

  it('leave the mediator that has them undisturbed', async () => {
    const { mediatorPort, dhtPort } = stage.mediator.listening
    await runToExit([String(mediatorPort), String(dhtPort)])
    await stage.peer()
  })
})

/** A UDP port that nobody has just now. */
async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

describe('Conformance: an unreachable bootstrap address', function () {
  this.timeout(40_000)
  const stage = ownStage()

  itTogether(stage, {
    'does not keep the mediator from starting: it says so and serves its own peers': async () => {
      const bootstrap = `127.0.0.1:${await freeUdpPort()}`
      const mediator = await stage.start({ bootstrap })
      const fullHash = randomHash()
      const seeder = await stage.seeder([fullHash], { mediator })
      const asker = await stage.peer({ mediator })
      const { peers, finalAfterMs } = await asker.ask(fullHash)
      expect(peers).to.deep.equal([seeder.address])
      expect(finalAfterMs).to.be.below(5250)
      await eventually(() => expect(mediator.stderr).to.include(bootstrap), 20_000)
      expect(mediator.stdout).to.match(/^[^\n]+\n$/)
    },

    'does not keep the mediator from draining on SIGTERM': async () => {
      const mediator = await stage.start({ bootstrap: `127.0.0.1:${await freeUdpPort()}` })
      expect((await mediator.stop()).code).to.equal(0)
    },

    'that does not resolve does not keep the mediator from starting': async () => {
      const mediator = await stage.start({ bootstrap: 'no-such-host.invalid:4000' })
      await stage.peer({ mediator })
      await eventually(() => expect(mediator.stderr).to.include('no-such-host.invalid'), 20_000)
      expect(mediator.isRunning).to.equal(true)
    }
  })
})

describe('Conformance: an unreachable bootstrap address, later @long', () => {
  const stage = ownStage()

  it('is tried again until it answers', async function () {
    this.timeout(120_000)
    const dhtPort = await freeUdpPort()
    const early = await stage.start({ bootstrap: `127.0.0.1:${dhtPort}` })
    await eventually(() => expect(early.stderr).to.include(String(dhtPort)), 20_000)
    const late = await stage.start({ dhtPort })
    const fullHash = randomHash()
    const seeder = await stage.seeder([fullHash], { mediator: early })
    const asker = await stage.peer({ mediator: late })
    await eventually(
      async () => expect((await asker.ask(fullHash)).peers).to.deep.equal([seeder.address]),
      60_000,
      500
    )
  })
})
