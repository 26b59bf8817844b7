import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/**
 * Starts `program`, a file of bench/ that serves (server-program.mjs), at the place `servers` of a network if one is given, else on
 * loopback. Gives their `urls`, `ask`, which settles with their answer to a line, and `close`, which settles when they have ended.
 */
export async function startServers(network, { program = 'servers.mjs', settings = {} } = {}) {
  const host = network?.address('servers') ?? '127.0.0.1'
  const file = fileURLToPath(new URL(program, import.meta.url))
  const node = [process.execPath, file, host, JSON.stringify(settings)]
  const [command, ...args] = network?.commandAt('servers', node) ?? node
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise(resolve => child.once('close', resolve))
  const asked = []
  const answer = () => new Promise((resolve, reject) => asked.push({ resolve, reject }))
  const fail = error => asked.splice(0).forEach(({ reject }) => reject(error))
  createInterface({ input: child.stdout }).on('line', line => asked.shift()?.resolve(JSON.parse(line)))
  child.stdin.on('error', () => {})
  child.once('error', fail)
  void ended.then(() => fail(new Error('the servers of the bench ended: see above')))
  const urls = await answer()
  const ask = line => {
    const said = answer()
    child.stdin.write(`${line}\n`)
    return said
  }
  const close = () => {
    child.stdin.end()
    return ended
  }
  return { urls, ask, close }
}
