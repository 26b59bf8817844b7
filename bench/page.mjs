import { setTimeout as sleep } from 'node:timers/promises'
import { quantile, ratioOfQuantiles } from './bootstrap.mjs'
import { judged, measurement, measurementsTable, table } from './report.mjs'
import { Stage } from './stage.mjs'

/** Seeders by the profile of all links. */
const SEEDERS = { lan: 2, cable: 4, dsl: 4 }
/** What other visitors do: serve well, are not there, give 20 kB/s, send wrong bytes. */
const MANNERS = {
  good: { seeders: true },
  none: { seeders: false },
  slow: { seeders: true, uploadRate: '20000' },
  lying: { seeders: true, init: lie }
}
/** Until a visitor has told a mediator what it holds. */
const ANNOUNCED_MS = 3_000
/** What is still under way then counts. */
const SETTLE_MS = 1_500
const LOAD_MS = 60_000

export const usualRounds = 200
export const quickRounds = 2 * Object.keys(MANNERS).length

/**
 * The first page of the shop, loaded with the script tag and without it in turn, by visitors whose cache is empty. Other visitors
 * have looked at all of that page before; what they do is the same for a quarter of the pairs each. Times are those of the browser: the end of the page's load, its
 * largest contentful paint, and what long tasks of the main thread take beyond 50 ms each.
 *
 * Gives `measurements`, `text` to print, and what goal was `missed`, if any.
 */
export async function run({ rounds, wan, progress }) {
  const reports = []
  for (const profile of wan === undefined ? Object.keys(SEEDERS) : [wan])
    reports.push(report(profile, await pairsOver(profile, rounds, progress)))
  const measurements = reports.flatMap(one => one.measurements)
  const text = [measurementsTable(measurements), ...reports.map(one => one.text)].join('\n\n')
  return judged(
    measurements,
    text,
    reports.flatMap(one => one.goals)
  )
}

async function pairsOver(profile, rounds, progress) {
  const names = Object.keys(MANNERS)
  const places = Array.from({ length: SEEDERS[profile] }, (_, i) => `seeder-${i}`)
  const stage = await Stage.open({
    places: Object.fromEntries(['requester', ...places].map(name => [name, profile]))
  })
  try {
    if (stage.servers.shop === undefined) throw new Error('the shop is not compiled: npm run compile')
    const pairs = []
    for (const [index, name] of names.entries()) {
      const share = Math.floor(rounds / names.length) + Number(index < rounds % names.length)
      const tell = (line, pair) => progress(`${profile}, peers ${name}, ${line}: ${lineOf(pair)}`)
      pairs.push(...(await pairsWith(stage, { name, places, share, tell })))
    }
    return pairs
  } finally {
    await stage.close()
  }
}

async function pairsWith(stage, { name, places, share, tell }) {
  const seeders = MANNERS[name].seeders ? await seedersOf(stage, places, MANNERS[name]) : []
  const pairs = []
  // The first one finds programs that were never run.
  for (let i = -1; i < share; i++) {
    const order = i % 2 === 0 ? ['shop/', 'plain-shop/'] : ['plain-shop/', 'shop/']
    const pair = { manner: name }
    for (const path of order) pair[path === 'shop/' ? 'tagged' : 'plain'] = await loadOnce(stage, path)
    tell(i < 0 ? 'warm-up' : `pair ${i + 1} of ${share}`, pair)
    if (i >= 0) pairs.push(pair)
  }
  for (const seeder of seeders) await seeder.close()
  // Until nobody is told of them any more.
  await sleep(ANNOUNCED_MS)
  return pairs
}

/** Visitors who have seen all of the page, and stay. */
async function seedersOf(stage, places, { uploadRate, init }) {
  return Promise.all(
    places.map(async place => {
      const context = await stage.browser(place).newContext({ viewport: { width: 1280, height: 860 } })
      const page = await context.newPage()
      await page.addInitScript(rate => {
        // Its script is still being fetched when the tag is seen.
        new MutationObserver(() => {
          const tag = document.querySelector('script[data-mediators]')
          tag?.setAttribute('data-upload-max', '1GB')
          if (rate !== null) tag?.setAttribute('data-upload-rate', rate)
        }).observe(document, { childList: true, subtree: true })
      }, uploadRate ?? null)
      if (init !== undefined) await page.addInitScript(init)
      await page.goto(`${stage.servers.shop}/shop/`)
      await page.evaluate(async () => {
        for (const image of document.images) {
          image.scrollIntoView()
          if (!image.complete || image.naturalWidth === 0)
            await new Promise(resolve => image.addEventListener('load', resolve, { once: true }))
        }
      })
      await sleep(ANNOUNCED_MS)
      return context
    })
  )
}

/** Runs in a page: one bit in every message with blocks is another. */
function lie() {
  const { send } = RTCDataChannel.prototype
  RTCDataChannel.prototype.send = function (bytes) {
    if (bytes.length > 1_000) bytes[bytes.length - 5] ^= 1
    send.call(this, bytes)
  }
}

async function loadOnce(stage, path) {
  const context = await stage.browser('requester').newContext({ viewport: { width: 1280, height: 860 } })
  try {
    const page = await context.newPage()
    const failures = []
    page.on('pageerror', error => failures.push(error.message))
    await page.addInitScript(() => {
      const seen = { paint: 0, blocked: 0 }
      globalThis.seen = seen
      new PerformanceObserver(list => {
        for (const { startTime } of list.getEntries()) seen.paint = startTime
      }).observe({ type: 'largest-contentful-paint', buffered: true })
      new PerformanceObserver(list => {
        for (const { duration } of list.getEntries()) seen.blocked += duration - 50
      }).observe({ type: 'longtask', buffered: true })
    })
    await page.goto(`${stage.servers.shop}/${path}`, { waitUntil: 'load', timeout: LOAD_MS })
    await sleep(SETTLE_MS)
    const shown = await page.evaluate(() => {
      const [{ loadEventEnd: load }] = performance.getEntriesByType('navigation')
      const images = performance
        .getEntriesByType('resource')
        .filter(({ name }) => /\/assets\/pots\//.test(name))
      const measures = performance.getEntriesByName('mayfly').map(({ detail }) => detail)
      const fromPeers = measures.reduce(
        (sum, { source, bytes = 0 }) => sum + (source === 'peer' ? bytes : 0),
        0
      )
      const fromSite = images.reduce((sum, { transferSize }) => sum + transferSize, 0)
      return { load, ...seen, fromPeers, fromSite }
    })
    if (failures.length > 0) throw new Error(`the page: ${failures[0]}`)
    return shown
  } finally {
    await context.close()
  }
}

function lineOf({ tagged, plain }) {
  const two = what => `${tagged[what].toFixed(0)} / ${plain[what].toFixed(0)} ms`
  return `load ${two('load')}, paint ${two('paint')}, blocked ${two('blocked')}, from peers ${(tagged.fromPeers / 1_000).toFixed(0)} kB`
}

function report(profile, pairs) {
  const of = (which, what, among = pairs) => among.map(pair => pair[which][what])
  const measurements = ['load', 'paint', 'blocked'].flatMap(what =>
    [
      ['mayfly', 'tagged'],
      ['http', 'plain']
    ].map(([contender, which]) => measurement(`page-${what}-${profile}`, contender, 'ms', of(which, what)))
  )
  const ratio = (what, part) => ratioOfQuantiles(of('tagged', what), of('plain', what), part)
  const mean = numbers => numbers.reduce((sum, number) => sum + number, 0) / numbers.length
  const goals = [
    { what: `${profile}: load time, median, upper end`, value: ratio('load', 0.5).upper, most: 1.02 },
    {
      what: `${profile}: load time, 95th percentile, upper end`,
      value: ratio('load', 0.95).upper,
      most: 1.05
    },
    {
      what: `${profile}: largest contentful paint, median, upper end`,
      value: ratio('paint', 0.5).upper,
      most: 1.02
    },
    {
      what: `${profile}: main thread blocked longer, ms`,
      value: mean(of('tagged', 'blocked')) - mean(of('plain', 'blocked')),
      most: 50
    }
  ]
  const interval = ({ ratio: value, lower, upper }) =>
    `${value.toFixed(3)} (${lower.toFixed(3)} to ${upper.toFixed(3)})`
  const lines = [
    `${profile}: ${pairs.length} pairs, with / without the tag, and the 95 % interval:`,
    `load median ${interval(ratio('load', 0.5))}, 95th percentile ${interval(ratio('load', 0.95))}, largest contentful paint ${interval(ratio('paint', 0.5))}`,
    mannersTable(pairs, of)
  ]
  return { measurements, goals, text: lines.join('\n') }
}

function mannersTable(pairs, of) {
  const rows = Object.keys(MANNERS).flatMap(manner => {
    const among = pairs.filter(pair => pair.manner === manner)
    if (among.length === 0) return []
    const sum = (which, what) => of(which, what, among).reduce((total, number) => total + number, 0)
    const times = ['load', 'paint'].flatMap(what =>
      ['tagged', 'plain'].map(which => quantile(of(which, what, among), 0.5).toFixed(0))
    )
    const fromPeers = sum('tagged', 'fromPeers')
    const share = `${((100 * fromPeers) / (fromPeers + sum('tagged', 'fromSite'))).toFixed(1)} %`
    const saved = `${(100 * (1 - sum('tagged', 'fromSite') / sum('plain', 'fromSite'))).toFixed(1)} %`
    return [[manner, String(among.length), ...times, share, saved]]
  })
  return table([
    ['peers', 'pairs', 'load', 'without', 'paint', 'without', 'from peers', 'saved by the site'],
    ...rows
  ])
}
