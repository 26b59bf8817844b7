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
  const seed = wanted.dataDir === undefined ? newSeed() : await keepSeed(wanted.dataDir)
  let dhtPort = 0
  const joinNetwork: JoinNetwork = async (localPeers, publicUrl) => {
    const network = await join(wanted, { seed, localPeers, publicUrl, log })
    dhtPort = network.dhtPort
    return network
  }
  const mediator = await start(wanted, joinNetwork, log)
  stopOnSignal(mediator, log)
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
    throw badTls(inUse(error, `TCP port ${mediatorPort}`))
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
    throw inUse(error, `UDP port ${dhtPort}`)
  }
}

/** The DHT speaks IPv4 only. */
function dhtHost(host: string | undefined): string {
  if (host === 'localhost') return '127.0.0.1'
  return host !== undefined && isIPv4(host) ? host : '0.0.0.0'
}

async function readTls(files: { certFile: string; keyFile: string }): Promise<{ cert: Buffer; key: Buffer }> {
  // One after the other, so that of two that cannot be read it is always the first that is named.
  const cert = await readFile(files.certFile)
  return { cert, key: await readFile(files.keyFile) }
}

function stopOnSignal(mediator: Mediator, log: Log): void {
  const stop = (signal: string): void => {
    log.info({ signal }, 'draining')
    void mediator.close().then(() => process.exit(0))
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

function badTls(error: unknown): unknown {
  const isTls = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_OSSL')
  return isTls ? new CommandLineError(1, `--tls-cert, --tls-key: ${error.message}`) : error
}

function inUse(error: unknown, what: string): unknown {
  const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
  return taken ? new CommandLineError(1, `${what} is in use`) : error
}

async function version(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  const { version: number } = JSON.parse(text) as { version: string }
  return number
}
