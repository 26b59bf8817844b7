import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('servers.mjs', import.meta.url))

/**
 * Starts servers.mjs, at the place `servers` of a network if one is given, else on loopback. Gives their `urls`, and
 * `close`, which settles when they have ended.
 */
export async function startServers(network) {
  const host = network?.address('servers') ?? '127.0.0.1'
  const node = [process.execPath, PROGRAM, host]
  const [program, ...args] = network?.commandAt('servers', node) ?? node
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise(resolve => child.once('close', resolve))
  const urls = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', line => resolve(JSON.parse(line)))
    child.once('error', reject)
    void ended.then(() => reject(new Error('the servers of the bench ended: see above')))
  })
  const close = () => {
    child.stdin.end()
    return ended
  }
  return { urls, close }
}
