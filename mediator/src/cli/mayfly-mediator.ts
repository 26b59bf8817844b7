import { readFile } from 'node:fs/promises'
import { isIPv4 } from 'node:net'
import { terminalText } from '@mayfly/common'
import { createLog } from '../adapters/log.js'
import { keepSeed, newSeed } from '../identity.js'
import { createMediator, type JoinNetwork, type Mediator } from '../mediator.js'
import { createNetwork, type StartedNetwork } from '../network/index.js'
import type { Log } from '../ports/log.js'
import { parseArguments, USAGE, type MediatorArguments } from './arguments.js'
import { CommandLineError } from './command-line-error.js'

/**
 * Runs the command `mayfly-mediator` until a signal ends it. Standard output carries the one line that says where
 * it listens; everything else goes to standard error. Ends the process by itself, with the exit code that
 * docs/OPERATING.md names.
 */
export async function main(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>
): Promise<void> {
  // A reader that is gone must not end a mediator.
  process.stdout.on('error', () => undefined)
  try {
    const wanted = parseArguments(argv, env)
    if (wanted === 'help') process.stdout.write(USAGE)
    else if (wanted === 'version') process.stdout.write(`${await version()}\n`)
    else await run(wanted)
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
    process.stderr.write(`mayfly-mediator: ${terminalText(line)}\n`)
    process.exit(error instanceof CommandLineError ? error.exitCode : 1)
  }
}

async function run(wanted: MediatorArguments): Promise<void> {
  const log = createLog(wanted.logLevel)
  const seed = wanted.dataDir === undefined ? newSeed() : await seedKeptIn(wanted.dataDir)
  let dhtPort = 0
  const joinNetwork: JoinNetwork = async (localPeers, publicUrl) => {
    const network = await join(wanted, { seed, localPeers, publicUrl, log })
    dhtPort = network.dhtPort
    return network
  }
  const mediator = await start(wanted, joinNetwork, log)
  stopOnSignal(mediator, log)
  if (wanted.endWithStdin) stopWithStdin(mediator, log)
  if (wanted.publicUrl === undefined && wanted.host === undefined) {
    log.warn(
      { publicUrl: mediator.publicUrl },
      'others are told this URL; give --public-url where they are elsewhere'
    )
  }
  const { port: mediatorPort, mediatorId } = mediator
  process.stdout.write(`${JSON.stringify({ event: 'listening', mediatorPort, dhtPort, mediatorId })}\n`)
  log.info({ mediatorPort, dhtPort, mediatorId, publicUrl: mediator.publicUrl }, 'listening')
}

async function seedKeptIn(folder: string): Promise<Uint8Array> {
  try {
    return await keepSeed(folder)
  } catch (error) {
    throw new CommandLineError(1, `--data-dir: ${folder} cannot be used: ${wordsOf(error)}`)
  }
}

async function start(wanted: MediatorArguments, joinNetwork: JoinNetwork, log: Log): Promise<Mediator> {
  const { host, publicUrl, trustProxy, origins, iceServers, metricsPublic, limits, mediatorPort } = wanted
  const tls = wanted.tls === undefined ? undefined : await readTls(wanted.tls)
  try {
    return await createMediator({
      port: mediatorPort,
      joinNetwork,
      ...(host === undefined ? {} : { host }),
      ...(publicUrl === undefined ? {} : { publicUrl }),
      ...(tls === undefined ? {} : { tls }),
      trustProxy,
      origins,
      iceServers,
      metricsPublic,
      limits,
      log
    })
  } catch (error) {
    throw badTls(unbound(error, `TCP port ${mediatorPort}`, host))
  }
}

async function join(
  wanted: MediatorArguments,
  parts: { seed: Uint8Array; localPeers: Parameters<JoinNetwork>[0]; publicUrl: string; log: Log }
): Promise<StartedNetwork> {
  const { seed, localPeers, publicUrl, log } = parts
  const { dhtPort, bootstrap, limits } = wanted
  try {
    return await createNetwork({
      keyPair: { seed },
      host: dhtHost(wanted.host),
      dhtPort,
      publicUrl,
      localPeers,
      log,
      limits,
      ...(bootstrap === undefined ? {} : { bootstrap })
    })
  } catch (error) {
    throw unbound(error, `UDP port ${dhtPort}`, wanted.host)
  }
}

/** The DHT speaks IPv4 only. */
function dhtHost(host: string | undefined): string {
  if (host === 'localhost') return '127.0.0.1'
  return host !== undefined && isIPv4(host) ? host : '0.0.0.0'
}

async function readTls(files: { certFile: string; keyFile: string }): Promise<{ cert: Buffer; key: Buffer }> {
  // One after the other, so that of two that cannot be read it is always the first that is named.
  const cert = await readPem('--tls-cert', files.certFile)
  return { cert, key: await readPem('--tls-key', files.keyFile) }
}

async function readPem(option: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new CommandLineError(1, `${option}: ${path} cannot be read: ${wordsOf(error)}`)
  }
}

/** Without the path and the system call that Node.js names besides. */
function wordsOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(/^[A-Z]+: (.*?), \w+(?: '.*')?$/s, '$1')
}

function stopOnSignal(mediator: Mediator, log: Log): void {
  const stop = (signal: string): void => {
    log.info({ signal }, 'draining')
    void mediator.close().then(() => process.exit(0))
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

/** Whoever began this mediator holds the other end of its standard input: without them nobody would end it. */
function stopWithStdin(mediator: Mediator, log: Log): void {
  const stop = (): void => {
    log.info({}, 'draining: standard input has ended')
    void mediator.close().then(() => process.exit(0))
  }
  process.stdin.once('end', stop)
  process.stdin.once('error', stop)
  process.stdin.resume()
}

function badTls(error: unknown): unknown {
  const isTls = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_OSSL')
  return isTls ? new CommandLineError(1, `--tls-cert, --tls-key: ${error.message}`) : error
}

/** Why something cannot be listened on, in words; other errors as they are. */
function unbound(error: unknown, what: string, host = 'this'): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') return new CommandLineError(1, `${what} is in use`)
  if (code === 'EACCES') return new CommandLineError(1, `${what} may not be used by this user`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new CommandLineError(1, `--host: ${host} is not an address of this machine`)
  return error
}

async function version(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  const { version: number } = JSON.parse(text) as { version: string }
  return number
}
