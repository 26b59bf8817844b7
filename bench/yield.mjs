import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { measurement, median, table } from './report.mjs'
import { WideAreaNetwork } from './wan/network.mjs'
import { PROFILES } from './wan/profiles.mjs'

const path = name => fileURLToPath(new URL(name, import.meta.url))

/** More than an uplink of 10 Mbit/s carries in the time. */
const BYTES = 64 * 1_048_576
const QUIET_MS = 5_000
const BUSY_MS = 20_000
/** Milliseconds that an upload may add to the round trips of others on its uplink, and share of the link that it uses. */
const GOALS = { median: 10, most: 25, share: 0.85 }

/** Peers that fetch at the same time, each over a channel of its own. */
const REQUESTERS = [1, 3]

/** How often it is measured unless told otherwise. */
export const usualRounds = 3

/**
 * What an upload does to everything else on the uplink of a home, `cable` by default: a peer in Node.js seeds, one
 * or three others fetch, and datagrams go every 20 ms from where the first one is to a server and back. Milliseconds by which
 * they take longer than in the median without the upload, from the first block on; and share of the uplink's bits
 * that are used.
 *
 * Gives `measurements`, `text` to print, and what goal was `missed`, if any.
 */
export async function run({ rounds, wan = 'cable', progress }) {
  const samples = new Map(REQUESTERS.map(count => [count, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const [count, those] of samples) {
      const sample = await measure(wan, count)
      those.push(sample)
      const { delayMedian, delayMost, share } = sample
      progress(
        `round ${round} of ${rounds}, to ${count}: ${delayMedian.toFixed(1)} ms, ${delayMost.toFixed(1)} ms, ${share.toFixed(2)}`
      )
    }
  }
  return report(samples, wan)
}

async function measure(wan, requesterCount) {
  const requesters = Array.from({ length: requesterCount }, (_, i) => `requester ${i}`)
  const places = { servers: 'server', uploader: wan, ...Object.fromEntries(requesters.map(at => [at, wan])) }
  const links = Object.entries(places).map(([place, profile]) => [place, PROFILES[profile]])
  const network = await WideAreaNetwork.open(Object.fromEntries(links))
  const children = []
  const start = (place, script, ...args) => {
    const child = new Child(network.commandAt(place, [process.execPath, path(script), ...args]))
    children.push(child)
    return child
  }
  try {
    const address = network.address('servers')
    const { mediator } = await start('servers', 'servers.mjs', address).line()
    const { port } = await start('servers', 'yield-peer.mjs', 'echo', address).line()
    const ping = ms => start('uploader', 'yield-peer.mjs', 'ping', address, String(port), String(ms)).line()
    const { fullHash } = await start('uploader', 'yield-peer.mjs', 'seed', mediator, String(BYTES)).line()
    const quiet = await ping(QUIET_MS)
    const fetching = requesters.map(at => start(at, 'yield-peer.mjs', 'get', mediator, fullHash))
    await Promise.all(fetching.map(child => child.line()))
    const busy = await ping(BUSY_MS)
    const base = median(quiet.waits)
    const added = busy.waits.map(wait => wait - base).sort((a, b) => a - b)
    return {
      delayMedian: median(added),
      delayMost: added[Math.floor(added.length * 0.95)],
      share: (busy.bytesPerSecond * 8) / (PROFILES[wan].up * 1000)
    }
  } finally {
    for (const child of children.toReversed()) await child.end()
    network.close()
  }
}

/** A process that says lines of JSON. */
class Child {
  #process
  #lines
  #ended

  constructor([program, ...args]) {
    this.#process = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#process.stdout })
    this.#ended = once(this.#process, 'close')
  }

  /** The next thing that it says. Rejects where it ends before. */
  async line() {
    const ended = this.#ended.then(() => Promise.reject(new Error('a process of the bench ended: see above')))
    ended.catch(() => {})
    const [line] = await Promise.race([once(this.#lines, 'line'), ended])
    return JSON.parse(line)
  }

  async end() {
    this.#process.stdin.end()
    await this.#ended
  }
}

function report(samples, wan) {
  const all = [...samples].map(([count, those]) => {
    const of = what => those.map(sample => sample[what])
    const to = count === 1 ? '' : `-to-${count}`
    return [
      measurement(`yield-median${to}-${wan}`, 'mayfly', 'ms', of('delayMedian')),
      measurement(`yield-95th${to}-${wan}`, 'mayfly', 'ms', of('delayMost')),
      measurement(`yield-share${to}-${wan}`, 'mayfly', 'of the link', of('share'))
    ]
  })
  const rows = [
    ['added by uploads', ...REQUESTERS.map(count => `to ${count}`), 'goal'],
    ['delay, median', ...all.map(([delay]) => `${delay.value.toFixed(1)} ms`), `≤ ${GOALS.median} ms`],
    ['delay, 95th percentile', ...all.map(([, most]) => `${most.value.toFixed(1)} ms`), `≤ ${GOALS.most} ms`],
    ['share of the uplink', ...all.map(([, , share]) => share.value.toFixed(2)), `≥ ${GOALS.share}`]
  ]
  const reached = all.every(([delay, most, share]) => {
    return delay.value <= GOALS.median && most.value <= GOALS.most && share.value >= GOALS.share
  })
  const missed = reached || wan !== 'cable' ? undefined : 'uploads add more delay, or use less of the link'
  return { measurements: all.flat(), text: table(rows), missed }
}
