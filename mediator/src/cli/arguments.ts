import { parseArgs, type ParseArgsConfig } from 'node:util'
import type { IceServer, MediationLimits } from '@mayfly/common'
import { LOG_LEVELS, type LogLevel } from '../adapters/log.js'
import { ProxyTrust } from '../server/proxy-trust.js'
import { CommandLineError } from './command-line-error.js'
import { parseIceServer } from './ice-server.js'
import { limitsFromJson } from './limits-from-json.js'

/** What the command line and the environment ask for. */
export interface MediatorArguments {
  readonly mediatorPort: number
  readonly dhtPort: number
  readonly bootstrap: string | undefined
  readonly host: string | undefined
  readonly publicUrl: string | undefined
  readonly trustProxy: readonly string[]
  readonly dataDir: string | undefined
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  readonly origins: readonly string[]
  readonly iceServers: readonly IceServer[]
  readonly metricsPublic: boolean
  /** Ends as soon as standard input does: for a program that begins a mediator and may be killed. */
  readonly endWithStdin: boolean
  readonly logLevel: LogLevel
  readonly limits: Partial<MediationLimits>
}

export const USAGE = `mayfly-mediator <mediator-port> <dht-port> [bootstrap-address]

Runs one mediator. <mediator-port> is TCP (WebSocket and HTTP), <dht-port> is UDP; 0 picks a free one.
[bootstrap-address] is any other mediator's host:dht-port; without it this one starts a new network.

  --host <address>        listen on this address only (default: all, IPv6 and IPv4)
  --public-url <url>      what others are told, such as wss://m1.example.org/
  --trust-proxy <list>    proxies whose X-Forwarded-For counts: addresses, ranges, or "loopback"
  --data-dir <folder>     keeps the key there, so that the mediator id survives a restart
  --tls-cert <file>       certificate chain, PEM; with --tls-key
  --tls-key <file>        private key, PEM
  --origin <origin>       let only pages of this origin in (repeatable); programs send none and are let in
  --ice-server <url>      stun:host:port or turn:user:password@host:port (repeatable), passed on to peers
  --metrics-public        serve /metrics to anyone, not only to loopback
  --log-level <level>     ${LOG_LEVELS.join(', ')} (default: info)
  --help, --version

Each is also an environment variable: MAYFLY_HOST, MAYFLY_PUBLIC_URL, MAYFLY_TRUST_PROXY and so on; lists are
separated by spaces or commas. MAYFLY_LIMITS is a JSON object that overrides limits by name.
MAYFLY_END_WITH_STDIN=1 ends it when standard input ends, for programs that start one.
`

const TEXT = ['host', 'public-url', 'data-dir', 'tls-cert', 'tls-key', 'log-level'] as const
const LISTS = ['trust-proxy', 'origin', 'ice-server'] as const
const OPTIONS = {
  ...Object.fromEntries(TEXT.map(name => [name, { type: 'string' }] as const)),
  ...Object.fromEntries(LISTS.map(name => [name, { type: 'string', multiple: true }] as const)),
  'metrics-public': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' }
} satisfies ParseArgsConfig['options']

type Values = Record<string, unknown>
type Environment = Readonly<Record<string, string | undefined>>

/** Reads the command line. Throws CommandLineError with exit code 2 on anything that is not right. */
export function parseArguments(
  argv: readonly string[],
  env: Environment
): MediatorArguments | 'help' | 'version' {
  const { values, positionals } = parse(argv)
  if (values['help'] === true) return 'help'
  if (values['version'] === true) return 'version'
  const [mediatorPort, dhtPort, bootstrap, ...rest] = positionals
  if (mediatorPort === undefined || dhtPort === undefined || rest.length > 0) {
    throw wrong('usage: mayfly-mediator <mediator-port> <dht-port> [bootstrap-address] (see --help)')
  }
  const text = (name: (typeof TEXT)[number]): string | undefined => textOf(values, name, env)
  const list = (name: (typeof LISTS)[number]): string[] => listOf(values, name, env)
  return {
    mediatorPort: parsePort('mediator-port', mediatorPort, 0),
    dhtPort: parsePort('dht-port', dhtPort, 0),
    bootstrap: bootstrap === undefined ? undefined : parseBootstrap(bootstrap),
    host: text('host'),
    publicUrl: parsePublicUrl(text('public-url')),
    trustProxy: parseTrust(list('trust-proxy')),
    dataDir: text('data-dir'),
    tls: parseTls(text('tls-cert'), text('tls-key')),
    origins: list('origin').map(parseOrigin),
    iceServers: list('ice-server').map(parseIceServer),
    metricsPublic: values['metrics-public'] === true || isOn(env['MAYFLY_METRICS_PUBLIC']),
    endWithStdin: isOn(env['MAYFLY_END_WITH_STDIN']),
    logLevel: parseLogLevel(text('log-level') ?? 'info'),
    limits: env['MAYFLY_LIMITS'] === undefined ? {} : limitsFromJson(env['MAYFLY_LIMITS'])
  }
}

function parse(argv: readonly string[]): { values: Values; positionals: string[] } {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true })
  } catch (error) {
    // Node.js goes on with advice that fits no one line.
    throw wrong(error instanceof Error ? (error.message.split(/\n|\. /)[0] ?? '') : String(error))
  }
}

function textOf(values: Values, name: string, env: Environment): string | undefined {
  const given = values[name] ?? env[variableOf(name)]
  return typeof given === 'string' && given !== '' ? given : undefined
}

function listOf(values: Values, name: string, env: Environment): string[] {
  const given = values[name]
  const texts = Array.isArray(given) ? given.map(String) : [env[variableOf(name)] ?? '']
  return texts.flatMap(text => text.split(/[\s,]+/)).filter(text => text !== '')
}

function variableOf(name: string): string {
  return `MAYFLY_${name.toUpperCase().replaceAll('-', '_')}`
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && ['1', 'true', 'yes', 'on'].includes(value.toLowerCase())
}

function parsePort(name: string, text: string, least: number): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < least || port > 65_535) {
    throw wrong(`${name} must be a number from ${least} to 65535: ${text}`)
  }
  return port
}

function parseBootstrap(text: string): string {
  const colon = text.lastIndexOf(':')
  const host = text.slice(0, Math.max(0, colon))
  if (!/^[\w.-]+$|^\[[0-9a-fA-F:.]+\]$/.test(host))
    throw wrong(`bootstrap-address must be host:dht-port: ${text}`)
  parsePort('the port of bootstrap-address', text.slice(colon + 1), 1)
  return text
}

function parsePublicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  if (!URL.canParse(text) || !/^wss?:\/\//.test(text))
    throw wrong(`--public-url must be a ws:// or wss:// URL: ${text}`)
  return text
}

function parseTrust(list: readonly string[]): readonly string[] {
  try {
    void new ProxyTrust(list)
    return list
  } catch (error) {
    throw wrong(`--trust-proxy: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function parseTls(certFile: string | undefined, keyFile: string | undefined): MediatorArguments['tls'] {
  if (certFile === undefined && keyFile === undefined) return undefined
  if (certFile === undefined || keyFile === undefined) throw wrong('--tls-cert and --tls-key go together')
  return { certFile, keyFile }
}

function parseOrigin(text: string): string {
  const origin = URL.canParse(text) ? new URL(text).origin : 'null'
  if (origin === 'null') throw wrong(`--origin must be like https://example.org: ${text}`)
  return origin
}

function parseLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find(name => name === text)
  if (level === undefined) throw wrong(`--log-level must be one of ${LOG_LEVELS.join(', ')}: ${text}`)
  return level
}

function wrong(message: string): CommandLineError {
  return new CommandLineError(2, message)
}
