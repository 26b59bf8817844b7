import { setTimeout as sleep } from 'node:timers/promises'
import { judged, measurement, measurementsTable } from './report.mjs'
import { Stage } from './stage.mjs'

/** Pages of it: photos that only the second has, and some that both have. */
const FIRST = 'elements/media.html'
const FURTHER = 'components/cards.html'
/** What is still under way then counts; a visitor has told a mediator what it holds. */
const SETTLE_MS = 3_000

export const usualRounds = 10
export const quickRounds = 1

/**
 * The documentation of somebody else's package, as `mayfly prepare` makes it: what of the manifest's files comes from the visitor
 * before, for a newcomer with an empty browser and on a further page. In percent of what comes, without what the newcomer holds.
 * What the site sent is counted by the site.
 */
export async function run({ rounds, wan = 'lan', progress }) {
  const stage = await Stage.open({ places: { before: wan, newcomer: wan } })
  try {
    const seeder = await stage.browser('before').newContext()
    const page = await seeder.newPage()
    for (const path of [FIRST, FURTHER]) await look(stage, page, path)
    const shares = { first: [], further: [] }
    for (let round = 1; round <= rounds; round++) {
      const context = await stage.browser('newcomer').newContext()
      const newcomer = await context.newPage()
      await counted(stage)
      for (const [name, path] of [
        ['first', FIRST],
        ['further', FURTHER]
      ]) {
        await look(stage, newcomer, path)
        shares[name].push(await shareFromPeers(stage, newcomer))
      }
      await context.close()
      const of = name => `${shares[name].at(-1).toFixed(1)} %`
      progress(`${wan}, newcomer ${round} of ${rounds}: ${of('first')}, on a further page ${of('further')}`)
    }
    const measurements = Object.entries(shares).map(([name, samples]) =>
      measurement(`site-${name}-page-${wan}`, 'mayfly', '% from peers', samples)
    )
    return judged(measurements, measurementsTable(measurements), [
      { what: `${wan}: the first page, the least`, value: Math.min(...shares.first), least: 60 },
      { what: `${wan}: a further page, the least`, value: Math.min(...shares.further), least: 90 }
    ])
  } finally {
    await stage.close()
  }
}

/** Looks at a page from the top to its end, until all images are there. */
async function look(stage, page, path) {
  await page.goto(`${stage.servers.site}/${path}`)
  await page.evaluate(async () => {
    // What is in the first viewport is seen first.
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame)
    for (const image of document.images) {
      image.scrollIntoView()
      while (image.checkVisibility() && (!image.complete || image.naturalWidth === 0))
        await new Promise(resolve => setTimeout(resolve, 20))
    }
  })
  await page.evaluate(() => navigator.serviceWorker.ready)
  await sleep(SETTLE_MS)
}

async function shareFromPeers(stage, page) {
  const told = await page.evaluate(async () => {
    const { files } = await (await fetch('/mayfly-manifest.json')).json()
    const peers = performance
      .getEntriesByName('mayfly')
      .filter(({ detail }) => detail.source === 'peer')
      .map(({ detail }) => new URL(detail.url, location.href).pathname.slice(1))
    return { files, peers: [...new Set(peers)] }
  })
  const lengthOf = path => told.files[path]?.length ?? 0
  const fromPeers = told.peers.reduce((sum, path) => sum + lengthOf(path), 0)
  const sent = await counted(stage)
  const fromSite = Object.entries(sent).reduce(
    (sum, [path, bytes]) => sum + (lengthOf(path) > 0 ? bytes : 0),
    0
  )
  return (100 * fromPeers) / (fromPeers + fromSite)
}

/** Bytes that the site sent since this was last asked, by path. */
async function counted(stage) {
  const context = await stage.browser('before').newContext()
  try {
    const response = await (await context.newPage()).goto(`${stage.servers.site}/counted`)
    return await response.json()
  } finally {
    await context.close()
  }
}
