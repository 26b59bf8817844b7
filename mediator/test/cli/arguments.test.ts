import { expect } from 'chai'
import { DEFAULT_MEDIATION_LIMITS } from '@mayfly/common'
import { parseArguments, USAGE } from '../../src/cli/arguments.js'
import { CommandLineError } from '../../src/cli/command-line-error.js'

type Environment = Record<string, string>

function refusal(argv: string[], env: Environment = {}): string {
  try {
    parseArguments(argv, env)
  } catch (error) {
    if (error instanceof CommandLineError && error.exitCode === 2) return error.message
    throw error
  }
  throw new Error(`accepted: ${argv.join(' ')} ${JSON.stringify(env)}`)
}

describe('parseArguments', () => {
  it('reads ports and the bootstrap address', () => {
    expect(parseArguments(['8080', '0'], {})).to.deep.equal({
      mediatorPort: 8080,
      dhtPort: 0,
      bootstrap: undefined,
      host: undefined,
      publicUrl: undefined,
      trustProxy: [],
      dataDir: undefined,
      tls: undefined,
      origins: [],
      iceServers: [],
      metricsPublic: false,
      endWithStdin: false,
      logLevel: 'info',
      limits: {}
    })
    for (const address of ['127.0.0.1:4000', 'm1.example.org:65535', '[::1]:1']) {
      expect(parseArguments(['0', '0', address], {})).to.include({ bootstrap: address })
    }
  })

  it('reads every option from the command line', () => {
    const argv = [
      ...[
        '1',
        '2',
        '--host',
        '127.0.0.1',
        '--public-url',
        'wss://m.example/',
        '--trust-proxy',
        'loopback,10.0.0.0/8'
      ],
      ...['--data-dir', 'd', '--tls-cert', 'c', '--tls-key', 'k', '--origin', 'https://A.example/'],
      ...['--origin', 'http://b.example:8080', '--ice-server', 'stun:s:1', '--ice-server', 'turn:u:p@t:2'],
      ...['--metrics-public', '--log-level', 'silent']
    ]
    expect(parseArguments(argv, {})).to.deep.include({
      host: '127.0.0.1',
      publicUrl: 'wss://m.example/',
      trustProxy: ['loopback', '10.0.0.0/8'],
      dataDir: 'd',
      tls: { certFile: 'c', keyFile: 'k' },
      origins: ['https://a.example', 'http://b.example:8080'],
      iceServers: [{ urls: 'stun:s:1' }, { urls: 'turn:t:2', username: 'u', credential: 'p' }],
      metricsPublic: true,
      logLevel: 'silent'
    })
  })

  it('reads every option from the environment, the command line first', () => {
    const env = {
      MAYFLY_HOST: '::1',
      MAYFLY_PUBLIC_URL: 'ws://m.example',
      MAYFLY_TRUST_PROXY: 'loopback 10.0.0.1',
      MAYFLY_DATA_DIR: 'd',
      MAYFLY_TLS_CERT: 'c',
      MAYFLY_TLS_KEY: 'k',
      MAYFLY_ORIGIN: 'https://a.example, https://b.example',
      MAYFLY_ICE_SERVER: 'stun:a:1 stuns:b:2',
      MAYFLY_METRICS_PUBLIC: '1',
      MAYFLY_END_WITH_STDIN: '1',
      MAYFLY_LOG_LEVEL: 'warn',
      MAYFLY_LIMITS: '{"maxHashes":5,"messagesPerSecond":0.5}'
    }
    expect(
      parseArguments(['0', '0', '--host', '127.0.0.1', '--origin', 'https://c.example'], env)
    ).to.deep.equal({
      mediatorPort: 0,
      dhtPort: 0,
      bootstrap: undefined,
      host: '127.0.0.1',
      publicUrl: 'ws://m.example',
      trustProxy: ['loopback', '10.0.0.1'],
      dataDir: 'd',
      tls: { certFile: 'c', keyFile: 'k' },
      origins: ['https://c.example'],
      iceServers: [{ urls: 'stun:a:1' }, { urls: 'stuns:b:2' }],
      metricsPublic: true,
      endWithStdin: true,
      logLevel: 'warn',
      limits: { maxHashes: 5, messagesPerSecond: 0.5 }
    })
    const empty = Object.fromEntries(Object.keys(env).map(name => [name, '']))
    delete empty['MAYFLY_LIMITS']
    expect(parseArguments(['0', '0'], empty)).to.deep.equal(parseArguments(['0', '0'], {}))
  })

  it('refuses wrong arguments in one line', () => {
    const wrong = [
      [],
      ['1'],
      ['1', '2', 'a:3', 'more'],
      ['', '0'],
      ['x', '0'],
      ['0', '65536'],
      ['-1', '0'],
      ['1.5', '0'],
      ['0x10', '0'],
      ['0', '0', 'host'],
      ['0', '0', ':1'],
      ['0', '0', 'host:0'],
      ['0', '0', 'a b:1'],
      ['0', '0', '--nope'],
      ['0', '0', '--host'],
      ['0', '0', '--public-url', 'http://x'],
      ['0', '0', '--public-url', 'ws://'],
      ['0', '0', '--trust-proxy', 'x'],
      ['0', '0', '--tls-key', 'k'],
      ['0', '0', '--origin', 'example.org'],
      ['0', '0', '--ice-server', 'http://x'],
      ['0', '0', '--ice-server', 'turn:host'],
      ['0', '0', '--ice-server', 'turn:%zz:p@host'],
      ['0', '0', '--log-level', 'loud']
    ]
    for (const argv of wrong) expect(refusal(argv), argv.join(' ')).to.match(/^.+$/)
  })

  it('refuses limits that are not an object of known names and positive numbers', () => {
    const wrong = ['', '{', 'null', '[]', '5', '{"maxHash":1}', '{"toString":1}', '{"__proto__":1}']
    const values = ['0', '-1', 'null', '"5"', 'true', '1e999', '[1]']
    for (const text of [...wrong, ...values.map(value => `{"maxHashes":${value}}`)]) {
      expect(refusal(['0', '0'], { MAYFLY_LIMITS: text }), text).to.match(/^MAYFLY_LIMITS: .+$/)
    }
    const all = parseArguments(['0', '0'], { MAYFLY_LIMITS: JSON.stringify(DEFAULT_MEDIATION_LIMITS) })
    expect(all).to.deep.include({ limits: DEFAULT_MEDIATION_LIMITS })
  })

  it('asks for help and version before anything else is right', () => {
    expect(parseArguments(['--help'], {})).to.equal('help')
    expect(parseArguments(['-v'], {})).to.equal('version')
    for (const option of [
      'host',
      'public-url',
      'trust-proxy',
      'data-dir',
      'origin',
      'ice-server',
      'metrics-public'
    ]) {
      expect(USAGE).to.include(`--${option}`)
    }
  })
})
