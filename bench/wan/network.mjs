import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { cpuSecondsOf } from '../cpu-seconds.mjs'

const SOURCE = fileURLToPath(new URL('wanem.c', import.meta.url))
const TUN = '/dev/net/tun'
const PREFIX = 'mayfly-bench'
/** What wanem.c has room for. */
const MAX_PLACES = 64

/** Network namespaces that are joined by emulated links, each known by the name of its place. */
export class WideAreaNetwork {
  #namespaces = new Map()
  #folder
  #emulator
  /** Who waits for what the emulator says next, the first first. */
  #asked = []
  #onExit = () => this.close()

  /**
   * `links`: by the name of a place, what profiles.mjs describes. Throws an Error with one line where this computer
   * lacks something; nothing is left behind then.
   */
  static async open(links) {
    const network = new WideAreaNetwork()
    try {
      await network.#start(Object.entries(links))
      return network
    } catch (error) {
      network.close()
      throw error
    }
  }

  /** IPv4 address of a place. */
  address(place) {
    return this.#at(place).address
  }

  /** Name of the network namespace of a place. */
  namespace(place) {
    return this.#at(place).namespace
  }

  /** The command line that runs `command` in a place. */
  commandAt(place, command) {
    return ['ip', 'netns', 'exec', this.namespace(place), ...command]
  }

  /** Bytes of IP packets, headers included, that were delivered so far to the place `to` from each other one, by its name. */
  async delivered(to) {
    const counted = JSON.parse(await this.#ask('count'))
    const places = [...this.#namespaces.keys()]
    const at = places.indexOf(to)
    return Object.fromEntries(places.map((place, index) => [place, counted[index][at]]))
  }

  /** From now on nothing passes between these two places, or, with `isUp` false, everything again. Neither is told. */
  async wall(one, other, isUp) {
    const [first, second] = [one, other].map(place => [...this.#namespaces.keys()].indexOf(place))
    if ((await this.#ask(`${isUp ? 'wall' : 'open'} ${first} ${second}`)) !== 'true')
      throw new Error(`no wall between ${one} and ${other}`)
  }

  /** Seconds of CPU that the emulation has used. */
  emulatorCpuSeconds() {
    return cpuSecondsOf(this.#emulator.pid)
  }

  /** Removes all of it, at once: also what ends this process must not leave namespaces behind. */
  close() {
    process.removeListener('exit', this.#onExit)
    this.#emulator?.kill('SIGKILL')
    for (const { namespace } of this.#namespaces.values()) spawnSync('ip', ['netns', 'delete', namespace])
    this.#namespaces.clear()
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true })
  }

  #at(place) {
    const found = this.#namespaces.get(place)
    if (found === undefined) throw new Error(`the emulated network has no place "${place}"`)
    return found
  }

  async #start(links) {
    if (links.length > MAX_PLACES) throw new Error(`an emulated network has at most ${MAX_PLACES} places`)
    refuseWhereImpossible()
    removeStale()
    process.once('exit', this.#onExit)
    this.#folder = mkdtempSync(join(tmpdir(), 'mayfly-wan-'))
    const program = join(this.#folder, 'wanem')
    run('cc', ['-O2', '-o', program, SOURCE])
    const nodes = []
    for (const [index, [place, { up, down, delay, queue }]] of links.entries()) {
      const namespace = `${PREFIX}-${process.pid}-${index}`
      const address = `10.77.0.${index + 1}`
      run('ip', ['netns', 'add', namespace])
      this.#namespaces.set(place, { namespace, address })
      nodes.push([namespace, address, up, down, delay, 0, queue].join(','))
    }
    await this.#emulate(program, nodes)
    for (const { namespace, address } of this.#namespaces.values()) connect(namespace, address)
  }

  #emulate(program, nodes) {
    this.#emulator = spawn(program, nodes, { stdio: ['pipe', 'pipe', 'ignore'] })
    this.#emulator.stdin.on('error', () => {})
    createInterface({ input: this.#emulator.stdout }).on('line', line => this.#asked.shift()?.resolve(line))
    const fail = error => this.#asked.splice(0).forEach(({ reject }) => reject(error))
    this.#emulator.once('error', fail)
    this.#emulator.once('exit', () => fail(new Error('the network emulator ended')))
    return this.#answer()
  }

  #ask(line) {
    const answer = this.#answer()
    this.#emulator.stdin.write(`${line}\n`)
    return answer
  }

  #answer() {
    return new Promise((resolve, reject) => this.#asked.push({ resolve, reject }))
  }
}

function connect(namespace, address) {
  const ip = (...args) => run('ip', ['-n', namespace, ...args])
  ip('link', 'set', 'lo', 'up')
  run('ip', ['netns', 'exec', namespace, 'sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1'])
  ip('addr', 'add', `${address}/24`, 'dev', 'wan0')
  ip('link', 'set', 'wan0', 'mtu', '1500', 'up')
  // Without it Chromium gathers no candidates.
  ip('route', 'add', 'default', 'dev', 'wan0')
}

function refuseWhereImpossible() {
  const missing = []
  if (process.platform !== 'linux') missing.push('Linux')
  else {
    if (process.getuid() !== 0) missing.push('root')
    if (!existsSync(TUN)) missing.push(TUN)
    for (const [program, argument] of [
      ['cc', '--version'],
      ['ip', '-V'],
      ['sysctl', '--version']
    ])
      if (spawnSync(program, [argument], { stdio: 'ignore' }).status !== 0) missing.push(program)
  }
  if (missing.length > 0) throw new Error(`an emulated network needs ${missing.join(', ')}, missing here`)
}

/** What a bench that was killed could not remove. */
function removeStale() {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' })
  for (const line of stdout.split('\n')) {
    const [name] = line.split(' ')
    const pid = new RegExp(`^${PREFIX}-(\\d+)-\\d+$`).exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) spawnSync('ip', ['netns', 'delete', name])
  }
}

function run(program, args) {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status === 0) return
  const why = error?.message ?? stderr.trim().split('\n').at(-1)
  throw new Error(`${program} ${args.slice(0, 3).join(' ')} failed: ${why}`)
}
