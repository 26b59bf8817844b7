import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { judged, measurement, measurementsTable, median, ratiosOf } from './report.mjs'
import { startServers } from './start-servers.mjs'
import { Child } from './swarm/child.mjs'
import { WideAreaNetwork } from './wan/network.mjs'
import { PROFILES } from './wan/profiles.mjs'

const PEERS = 20
const MEBIBYTES = 64
const LENGTH = MEBIBYTES * 1_048_576
/** 5 Mbit/s up, ten times that down. */
const LINK = { up: 5_000, down: 50_000, delay: 5_000, queue: 200 }
const MEASURE = `swarm-${PEERS}x${MEBIBYTES}MiB`
const GOALS = [{ measure: MEASURE, most: 1.15 }]
/** What a bare channel carries is told from so many bytes. */
const UP_BYTES = 12 * 1_048_576
const DOWN_BYTES = 32 * 1_048_576
/** Times the least time in theory: who takes longer is not waited for. */
const PATIENCE = 6
/** Of all the computer can do: past that, what is measured is the computer. */
const BUSY = 0.9

const PEER = fileURLToPath(new URL('swarm/peer.mjs', import.meta.url))
const BARE = fileURLToPath(new URL('swarm/bare.mjs', import.meta.url))

/** A round takes about two and a half minutes. */
export const usualRounds = 3

/**
 * 20 peers in Node.js fetch 64 MiB, all at once, from one seeder and each other; each has an emulated link of its own.
 * The time is from the word to all of them, which opens their sessions, until the last one has all of it verified. What
 * stands for `bare` is the least time in theory, max(F/u, F/d, N·F/(u + N·u)), where u and d are what a bare data channel
 * carries up and down such a link, measured in the same round.
 *
 * Gives `measurements`, `text` to print, and what goal was `missed`, if any.
 */
export async function run({ rounds, progress }) {
  const links = Object.fromEntries(Array.from({ length: PEERS + 1 }, (_, i) => [`peer-${i}`, LINK]))
  const network = await WideAreaNetwork.open({ servers: PROFILES.server, ...links })
  let servers
  const close = async () => {
    await servers?.close()
    network.close()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.once(signal, () => void close().finally(() => process.exit(1)))
  try {
    servers = await startServers(network)
    const samples = []
    for (let round = 1; round <= rounds; round++) {
      const up = await bareRate(network, 'peer-0', 'peer-1', UP_BYTES)
      const down = await bareRate(network, 'servers', 'peer-1', DOWN_BYTES)
      const least = leastSeconds(up, down)
      const sample = {
        up,
        down,
        least,
        ...(await swarmOnce(network, servers.urls.mediator, least * PATIENCE))
      }
      progress(`round ${round} of ${rounds}: ${lineOf(sample)}`)
      samples.push(sample)
    }
    return report(samples)
  } finally {
    await close()
  }
}

/** Bytes per second over a bare data channel from one place to another. */
async function bareRate(network, from, to, length) {
  const sender = await Child.start(network, from, BARE)
  const receiver = await Child.start(network, to, BARE)
  try {
    sender.onsignal = message => receiver.tell(message)
    receiver.onsignal = message => sender.tell(message)
    receiver.tell({ type: 'receive', length })
    sender.tell({ type: 'send', length })
    return (await receiver.next()).bytesPerSecond
  } finally {
    await sender.stop()
    await receiver.stop()
  }
}

function leastSeconds(up, down) {
  return Math.max(LENGTH / up, LENGTH / down, (PEERS * LENGTH) / (up + PEERS * up))
}

async function swarmOnce(network, mediator, limit) {
  const children = []
  try {
    for (let i = 0; i <= PEERS; i++) children.push(await Child.start(network, `peer-${i}`, PEER))
    const [seeder, ...peers] = children
    seeder.tell({ type: 'seed', mediator, length: LENGTH })
    const { fullHash, digest } = await seeder.next()
    const idleBefore = idleMilliseconds()
    const emulatorBefore = network.emulatorCpuSeconds()
    const cpuBefore = sumOf(children.map(child => child.cpuSeconds()))
    const startedAt = Date.now()
    for (const peer of peers) peer.tell({ type: 'get', mediator, fullHash })
    const late = sleep(limit * 1000, undefined, { ref: false }).then(() => {
      throw new Error(`not all peers have it after ${limit.toFixed(0)} s, ${PATIENCE} × the least time`)
    })
    const done = await Promise.race([Promise.all(peers.map(peer => peer.next())), late])
    if (done.some(one => one.digest !== digest)) throw new Error('a peer has wrong bytes')
    const elapsed = (Date.now() - startedAt) / 1000
    const seconds = done.map(({ arrivedAt }) => (arrivedAt - startedAt) / 1000)
    return {
      first: Math.min(...seconds),
      last: Math.max(...seconds),
      peerCpu: (sumOf(children.map(child => child.cpuSeconds())) - cpuBefore) / elapsed,
      emulatorCpu: (network.emulatorCpuSeconds() - emulatorBefore) / elapsed,
      busy: 1 - (idleMilliseconds() - idleBefore) / 1000 / elapsed / cpus().length
    }
  } finally {
    await Promise.all(children.map(child => child.stop()))
  }
}

function idleMilliseconds() {
  return sumOf(cpus().map(({ times }) => times.idle))
}

function sumOf(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0)
}

function lineOf({ up, down, least, first, last, peerCpu, emulatorCpu, busy }) {
  const mbit = bytesPerSecond => ((bytesPerSecond * 8) / 1e6).toFixed(2)
  return [
    `${last.toFixed(1)} s, the first of them after ${first.toFixed(1)} s, at least ${least.toFixed(1)} s`,
    `a bare channel carries ${mbit(up)} Mbit/s up and ${mbit(down)} down`,
    `peers use ${peerCpu.toFixed(2)} cores, the emulator ${emulatorCpu.toFixed(2)}`,
    `the computer is busy to ${(busy * 100).toFixed(0)} %`
  ].join('; ')
}

function report(samples) {
  const numbersOf = what => samples.map(sample => sample[what])
  const measurements = [
    measurement(MEASURE, 'mayfly', 's', numbersOf('last')),
    measurement(MEASURE, 'bare', 's', numbersOf('least'))
  ]
  const busy = median(numbersOf('busy'))
  const lines = [measurementsTable(measurements), '', ...samples.map(lineOf)]
  if (busy > BUSY) lines.push('The computer itself was the limit: more cores are needed to tell.')
  return judged(measurements, lines.join('\n'), ratiosOf(measurements, GOALS))
}
