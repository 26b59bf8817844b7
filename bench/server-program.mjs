import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { MediatorProcess } from '../scripts/mediator-process.mjs'

/** All visitors of a bench come from few addresses, one right after the other. */
const LIMITS = {
  connectionsPerSecond: 10_000,
  connectionsBurst: 10_000,
  connectionsPerAddress: 10_000,
  messagesPerSecond: 10_000,
  messagesBurst: 10_000
}

/**
 * Runs the servers of a bench in a process of their own, so that they can be in a network namespace: `node <program> <address> <settings>`.
 * `start` is given `host`, the `settings`, and `closing`, whose functions are called at the end; it gives their `urls`, printed as one
 * line of JSON once all of them listen, and `answer`, if it has something to say to lines of standard input. Ends with that.
 */
export async function serve(start) {
  const [, , host = '127.0.0.1', settings = '{}'] = process.argv
  const closing = []
  const end = async code => {
    for (const close of closing.splice(0)) await close()
    process.exit(code)
  }
  const lines = createInterface({ input: process.stdin })
  lines.once('close', () => void end(0))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => void end(0))
  try {
    const { urls, answer } = await start({ host, settings: JSON.parse(settings), closing })
    lines.on('line', line => console.log(JSON.stringify(answer?.(line) ?? null)))
    console.log(JSON.stringify(urls))
  } catch (error) {
    console.error(error.message)
    await end(1)
  }
}

/** Starts a mediator; gives its URL. */
export async function mediatorAt({ host, closing }) {
  const env = { ...process.env, MAYFLY_LIMITS: JSON.stringify(LIMITS) }
  const running = new MediatorProcess('mediator', ['0', '0', '--host', host], { env })
  closing.push(() => running.stop())
  return `ws://${host}:${(await running.listening).mediatorPort}`
}

/** Starts a web server; gives its URL, without a path. */
export async function webServerAt({ host }, handle) {
  const server = createServer(handle)
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, host, resolve))
  return `http://${host}:${server.address().port}`
}
