import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { launchChromiumWithProfile } from './chromium.mjs'
import { browserProcess, proportionalBytes } from './memory/processes.mjs'
import { judged, measurement, measurementsTable } from './report.mjs'
import { startServers } from './start-servers.mjs'

const SIZES = [256, 1024]
const SEEDER = fileURLToPath(new URL('memory/seeder.mjs', import.meta.url))
const SAMPLE_MS = 200
/** Chromium has done by then what it does at its start; half of it counts as idle. */
const IDLE_MS = 10_000
const MEGABYTE = 1e6

/** How often each size is fetched unless told otherwise. */
export const usualRounds = 3

/**
 * 256 MiB and 1 GiB from a file in Node.js into the store (IndexedDB) of a page, in a fresh Chromium with a profile on
 * disk. Memory is sampled five times a second: proportional set size of all processes of Chromium, and the page's
 * heap of JavaScript with its ArrayBuffers. What counts is the peak above the median while the page, with its session open,
 * was idle.
 *
 * Gives `measurements`, `text` to print, and what goal was `missed`, if any.
 */
export async function run({ rounds, progress }) {
  if (process.platform !== 'linux') throw new Error('memory is read from /proc, which only Linux has')
  const closing = []
  const close = async () => {
    for (const end of closing.splice(0).toReversed()) await end()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.once(signal, () => void close().finally(() => process.exit(1)))
  try {
    const servers = await startServers()
    closing.push(servers.close)
    const samples = new Map(SIZES.map(size => [size, []]))
    for (let round = 1; round <= rounds; round++) {
      for (const size of SIZES) {
        const sample = await fetchOnce(servers.urls, size, closing)
        progress(`round ${round} of ${rounds}: ${size} MiB, ${lineOf(sample)}`)
        samples.get(size).push(sample)
      }
    }
    return report(samples)
  } finally {
    await close()
  }
}

/** What it starts is in `closing` as long as it runs. */
async function fetchOnce(urls, size, closing) {
  const before = closing.length
  try {
    const folder = await mkdtemp(join(tmpdir(), 'mayfly-memory-'))
    closing.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
    const fullHash = await seeded(join(folder, 'content'), size, urls.mediator, closing)
    const profile = join(folder, 'profile')
    const context = await launchChromiumWithProfile(profile)
    closing.push(() => context.close())
    const [page] = context.pages()
    await page.goto(`${urls.pages}/memory`)
    await page.evaluate(mediator => memoryVisit.open(mediator), urls.mediator)
    const devtools = await context.newCDPSession(page)
    const browser = browserProcess(profile)
    const idle = await memoryWhile(sleep(IDLE_MS), browser, devtools)
    const fetching = page.evaluate(what => memoryVisit.fetch(what), fullHash)
    const busy = await memoryWhile(fetching, browser, devtools)
    return { ms: await fetching, ...comparison(idle.slice(idle.length >> 1), busy) }
  } finally {
    for (const end of closing.splice(before).toReversed()) await end()
  }
}

async function seeded(file, size, mediator, closing) {
  const args = [file, String(size * 1_048_576), mediator]
  const seeder = fork(SEEDER, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  closing.push(() => void seeder.kill('SIGKILL'))
  return new Promise((resolve, reject) => {
    seeder.once('message', ({ fullHash }) => resolve(fullHash))
    seeder.once('exit', () => reject(new Error('the seeder ended: see above')))
  })
}

/** Samples until something has settled; rejects with it. */
async function memoryWhile(something, browser, devtools) {
  const samples = []
  const settled = something.then(nothing, nothing)
  for (;;) {
    const { usedSize, backingStorageSize } = await devtools.send('Runtime.getHeapUsage')
    samples.push({ pss: proportionalBytes(browser), heap: usedSize + backingStorageSize })
    const isOver = await Promise.race([settled.then(() => true), sleep(SAMPLE_MS, false)])
    if (isOver) break
  }
  await something
  return samples
}

function nothing() {}

function comparison(idle, busy) {
  const result = {}
  for (const what of ['pss', 'heap']) {
    const quiet = idle.map(sample => sample[what]).toSorted((a, b) => a - b)[idle.length >> 1]
    result[what] = Math.max(...busy.map(sample => sample[what])) / MEGABYTE
    result[`${what}Above`] = result[what] - quiet / MEGABYTE
  }
  return result
}

function lineOf({ ms, pss, pssAbove, heap, heapAbove }) {
  const number = megabytes => megabytes.toFixed(1)
  return [
    `${number(ms / 1000)} s`,
    `peak PSS ${number(pss)} MB, ${number(pssAbove)} above idle`,
    `heap ${number(heap)} MB, ${number(heapAbove)} above idle`
  ].join('; ')
}

function report(samples) {
  const entries = (name, what) =>
    SIZES.map(size =>
      measurement(
        `memory-${name}-${size}MiB`,
        'mayfly',
        'MB',
        samples.get(size).map(sample => sample[what])
      )
    )
  const peaks = entries('peak-pss', 'pss')
  const above = entries('pss', 'pssAbove')
  const heaps = entries('heap', 'heapAbove')
  const measurements = [...above, ...heaps, ...peaks]
  const [small, large] = peaks.map(({ value }) => value)
  const goals = [
    ...above.map(({ measure, value }) => ({ what: `${measure} above idle, MB`, value, most: 128 })),
    ...heaps.map(({ measure, value }) => ({ what: `${measure} above idle, MB`, value, most: 64 })),
    { what: 'the larger peak PSS / the smaller', value: Math.max(small / large, large / small), most: 1.1 }
  ]
  return judged(measurements, measurementsTable(measurements), goals)
}
