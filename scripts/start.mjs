// `npm start`: installs and compiles what is missing, runs two mediators in one DHT and serves the preview pages.
// Imports nothing that is not there before the installation.
import { readFileSync, statSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { parseArgs } from 'node:util'
import { ensureCompiled } from './compiled.mjs'
import { freeTcpPort, freeUdpPort, isOwnAddress } from './free-port.mjs'
import { ensureInstalled } from './install.mjs'
import { MediatorProcess } from './mediator-process.mjs'

const HELP = `npm start -- [options]: two mediators in one DHT, and the preview pages

  --host <address>        where all of them listen (MAYFLY_HOST), default 127.0.0.1
  --port <number>         of the pages (MAYFLY_PORT), default 8080 or a free one
  --mediator-port <n>     of the first mediator, the second has the next (MAYFLY_MEDIATOR_PORT), default 8081
  --files <folder>        its files are under /files/ beside the pages, as a site has its own
  --verbose               shows the logs of the mediators
  --help                  shows this`

/** Network ports are 16 bits. */
const MAX_PORT = 65_535
const DEFAULT_PORT = 8080
const DEFAULT_MEDIATOR_PORT = 8081
/** The DHT's own default, and the next. */
const DEFAULT_DHT_PORT = 49_737

/** Time between two looks at whether npm is still there. */
const PARENT_CHECK_MS = 500

/** Ends in order, the last begun first. */
const closing = []
let stopping = false

/** Ends with one line: 2 where the command line is wrong, 1 for everything else. */
class StartError extends Error {
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop(0))
if (process.env.npm_lifecycle_event !== undefined) endWithParent()
try {
  await start(settingsOf(process.argv.slice(2), process.env))
} catch (error) {
  console.error(`npm start: ${error.message}`)
  await stop(error.exitCode ?? 1)
}

async function start({ host, port, mediatorPort, files, verbose, help }) {
  if (help) {
    console.log(HELP)
    return
  }
  if (!(await isOwnAddress(host))) throw new StartError(`--host is no address of this machine: ${host}`, 2)
  ensureInstalled()
  ensureCompiled()
  const first = await mediator(1, { host, port: mediatorPort, verbose })
  const second = await mediator(2, { host, port: mediatorPort, verbose, bootstrap: first.dhtPort })
  const mediatorPorts = [first.mediatorPort, second.mediatorPort]
  const pages = await serve({ host, port, mediatorPorts, folder: files })
  closing.push(() => pages.close())
  if (!stopping) console.log(whatToOpen(visibleHost(host), pages.port, mediatorPorts))
}

async function mediator(number, { host, port, verbose, bootstrap }) {
  const wanted = (port ?? DEFAULT_MEDIATOR_PORT) + number - 1
  const own = port === undefined ? await freeTcpPort(host, wanted) : wanted
  const dht = await freeUdpPort(host, DEFAULT_DHT_PORT + number - 1)
  const args = [
    String(own),
    String(dht),
    ...(bootstrap === undefined ? [] : [`${dialled(host)}:${bootstrap}`])
  ]
  args.push('--host', host, '--public-url', `ws://${visibleHost(host)}:${own}`)
  const name = `mediator ${number}`
  const running = new MediatorProcess(name, args, { verbose })
  closing.push(() => running.stop())
  const listening = await running.listening
  void running.ended.then(how => {
    if (!stopping) console.error(`npm start: ${name} ended (${how}); the rest goes on`)
  })
  return listening
}

async function serve({ host, port, mediatorPorts, folder }) {
  const { servePreview } = await import('../preview/server/preview-server.mjs')
  const wanted = port ?? (await freeTcpPort(host, DEFAULT_PORT))
  try {
    return await servePreview({ host, port: wanted, mediatorPorts, folder })
  } catch (error) {
    throw new StartError(error.code === 'EADDRINUSE' ? `port ${wanted} is in use` : error.message)
  }
}

/**
 * npm passes a signal on to its shell, and some shells do not pass it on to us: they just are not there any more. Where npm itself
 * is killed, the shell between may stay: then it has another parent.
 */
function endWithParent() {
  const parent = process.ppid
  const above = parentOfShell(parent)
  setInterval(() => {
    if (process.ppid !== parent || parentOfShell(parent) !== above) void stop(0)
  }, PARENT_CHECK_MS).unref()
}

/** The parent of a process that is a shell, where the system tells. */
function parentOfShell(pid) {
  try {
    const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    return /^(?:ba|da|a|k|z)?sh$|^busybox$/.test(name ?? '') ? parent : undefined
  } catch {
    return undefined
  }
}

async function stop(exitCode) {
  if (stopping) return
  stopping = true
  await Promise.allSettled(closing.map(close => close()))
  process.exit(exitCode)
}

function settingsOf(args, env) {
  const text = { type: 'string' }
  const flag = { type: 'boolean' }
  const options = { host: text, port: text, 'mediator-port': text, files: text, verbose: flag, help: flag }
  let values
  try {
    values = parseArgs({ args, options }).values
  } catch (error) {
    throw new StartError(error.message.split('\n', 1)[0], 2)
  }
  return {
    host: values.host ?? env.MAYFLY_HOST ?? '127.0.0.1',
    port: portOf('--port', values.port ?? env.MAYFLY_PORT),
    mediatorPort: portOf('--mediator-port', values['mediator-port'] ?? env.MAYFLY_MEDIATOR_PORT),
    files: folderOf(values.files),
    verbose: values.verbose ?? false,
    help: values.help ?? false
  }
}

function portOf(name, text) {
  if (text === undefined) return undefined
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port >= MAX_PORT)
    throw new StartError(`${name} is no port: ${text}`, 2)
  return port
}

function folderOf(path) {
  if (path !== undefined && !statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new StartError(`--files is no folder: ${path}`, 2)
  return path
}

/** The address by which the second mediator reaches the first. */
function dialled(host) {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
}

/** The address by which others reach what listens on `host`. */
function visibleHost(host) {
  if (host !== '0.0.0.0' && host !== '::') return host.includes(':') ? `[${host}]` : host
  const outside = Object.values(networkInterfaces())
    .flat()
    .find(address => address?.family === 'IPv4' && !address.internal)
  return outside?.address ?? '127.0.0.1'
}

function whatToOpen(host, port, [first, second]) {
  return `
Mayfly runs. Open in a browser:

  share files   http://${host}:${port}/seeder_preview.html
  get files     http://${host}:${port}/leecher_preview.html
  visit a shop  http://${host}:${port}/shop/ (the same without us: /plain-shop/)
  about         http://${host}:${port}/

Mediators, in one DHT: ws://${host}:${first} and ws://${host}:${second}
To make a page use one of them, add #m=ws://${host}:${second} to its address.
Ctrl+C ends all of it.`
}
