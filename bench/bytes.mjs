import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { fullHashOfBytes } from './full-hash.mjs'
import { imageOf } from './gallery/images.mjs'
import { launchChromium } from './chromium.mjs'
import { judged, measurement, table } from './report.mjs'
import { startServers } from './start-servers.mjs'

const BUNDLES = fileURLToPath(new URL('../peer/dist/bundle/', import.meta.url))
/** The first is brought over a new channel, the others over the same one. */
const OBJECTS = 11
/** So long nothing may come or go before a step counts as over. */
const QUIET_MS = 1_500

/** Bytes of the client, TLS and TCP apart, as Maygh counted (1.3 KB to connect, 0.6 KB for an object; EuroSys 2013). */
const GOALS = { connect: 700, 'object-warm': 120, 'object-new': 1_300 }

export const usualRounds = 5

/**
 * What the script tag sends and receives to connect, for an object over a new channel and for one over a channel that is there.
 * Signalling is what passes a mediator, over TLS; the channel is what its messages have, without the object itself.
 *
 * Gives `measurements`, `text` to print, and what goal was `missed`, if any.
 */
export async function run({ rounds, progress }) {
  const closing = []
  try {
    const servers = await startServers()
    closing.push(() => servers.close())
    const browser = await launchChromium({})
    closing.push(() => browser.close())
    const relay = await tlsRelay(new URL(servers.urls.mediator))
    closing.push(relay.close)
    const samples = []
    for (let round = 1; round <= rounds; round++) {
      const site = await siteOf(round)
      samples.push(await visitOnce(browser, site, relay))
      site.close()
      progress(`round ${round} of ${rounds}: connect ${samples.at(-1).connect.sent} bytes`)
    }
    return report(samples)
  } finally {
    for (const close of closing.toReversed()) await close()
  }
}

/** Someone who has all objects, and a visitor who connects, loads one, and then the others. */
async function visitOnce(browser, site, relay) {
  const seeder = await pageOf(browser, site)
  await load(seeder, relay.url, site.objects, 1)
  await sleep(QUIET_MS)
  await relay.quiet()
  const page = await pageOf(browser, site)
  const step = async act => {
    const before = { ...relay.counted(), ...(await countedIn(page)) }
    await act()
    await relay.quiet()
    const after = { ...relay.counted(), ...(await countedIn(page)) }
    return Object.fromEntries(Object.keys(after).map(name => [name, after[name] - before[name]]))
  }
  relay.reset()
  const steps = [
    await step(() => page.evaluate(url => void mayfly.connect(url), relay.url)),
    await step(() => load(page, relay.url, site.objects.slice(0, 1), 30_000)),
    await step(() => load(page, relay.url, site.objects.slice(1), 30_000))
  ]
  await seeder.context().close()
  await page.context().close()
  const [first, ...rest] = site.objects.map(({ length }) => length)
  return {
    connect: costOf(steps[0], 0, 1),
    'object-new': costOf(steps[1], first, 1),
    'object-warm': costOf(
      steps[2],
      rest.reduce((sum, length) => sum + length, 0),
      rest.length
    )
  }
}

/** Bytes of one of `count` objects, their own bytes left out; both ends of the signalling are on the relay. */
function costOf(step, objectBytes, count) {
  const each = bytes => bytes / count
  return {
    sent: each(step.up + step.channelUp),
    received: each(step.down + step.channelDown - objectBytes),
    tlsSent: each(step.tlsUp),
    tlsReceived: each(step.tlsDown)
  }
}

async function pageOf(browser, site) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  const page = await context.newPage()
  await page.addInitScript(() => {
    const counted = { channelUp: 0, channelDown: 0 }
    globalThis.counted = counted
    const { send } = RTCDataChannel.prototype
    RTCDataChannel.prototype.send = function (bytes) {
      counted.channelUp += bytes.length
      send.call(this, bytes)
    }
    const { set } = Object.getOwnPropertyDescriptor(RTCDataChannel.prototype, 'onmessage')
    Object.defineProperty(RTCDataChannel.prototype, 'onmessage', {
      set(handle) {
        set.call(this, event => {
          counted.channelDown += event.data.byteLength
          handle(event)
        })
      }
    })
  })
  await page.goto(site.url)
  return page
}

const countedIn = page => page.evaluate(() => ({ ...counted }))

/** Settles when all are shown. Throws where the site had to bring what others should. */
async function load(page, mediator, objects, patience) {
  const sources = await page.evaluate(
    async ([at, all, originAfterMs]) => {
      if (!globalThis.isConnected) mayfly.connect(at)
      globalThis.isConnected = true
      return Promise.all(
        all.map(({ url, fullHash }) =>
          mayfly.load(fullHash, document.body.appendChild(new Image()), { url, originAfterMs })
        )
      )
    },
    [mediator, objects, patience]
  )
  if (patience > 1 && sources.some(source => source !== 'peer'))
    throw new Error('an object came from the site')
}

/** A site of its own for every round: visitors of earlier ones know nothing of it. */
async function siteOf(round) {
  const images = new Map()
  const objects = []
  for (let i = 0; i < OBJECTS; i++) {
    const bytes = imageOf(Date.now() + round, i)
    const url = `/image/${i}.png`
    images.set(url, bytes)
    objects.push({ url, fullHash: await fullHashOfBytes(bytes), length: bytes.length })
  }
  const server = createServer(({ url }, response) => {
    if (images.has(url)) response.setHeader('content-type', 'image/png').end(images.get(url))
    else if (/^\/mayfly[a-z-]*\.js$/.test(url)) {
      response.setHeader('content-type', 'text/javascript').end(readFileSync(join(BUNDLES, url)))
    } else if (url === '/') {
      response.setHeader('content-type', 'text/html')
      response.end(
        '<!doctype html><title>bench</title><link rel="icon" href="data:,"><body><script src="/mayfly.js"></script>'
      )
    } else response.writeHead(404).end()
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${server.address().port}/`, objects, close }
}

/** TLS in front of a mediator, which counts what the clients that connect after `reset` send and receive. */
async function tlsRelay({ hostname, port }) {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-bytes-'))
  const [key, cert] = ['key', 'cert'].map(name => join(folder, `${name}.pem`))
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  execFileSync('openssl', ['req', '-x509', '-nodes', ...kind, '-keyout', key, '-out', cert, ...subject], {
    stdio: 'ignore'
  })
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) })
  rmSync(folder, { recursive: true })
  let watched = new Set()
  const ended = { up: 0, down: 0, tlsUp: 0, tlsDown: 0 }
  let heardAt = 0
  server.on('secureConnection', client => {
    const upstream = connect(Number(port), hostname)
    const link = { client, up: 0, down: 0 }
    watched.add(link)
    client.on('data', bytes => {
      heardAt = Date.now()
      link.up += bytes.length
      upstream.write(bytes)
    })
    upstream.on('data', bytes => {
      heardAt = Date.now()
      link.down += bytes.length
      client.write(bytes)
    })
    for (const [one, other] of [
      [client, upstream],
      [upstream, client]
    ])
      one.on('error', () => {}).on('close', () => other.destroy())
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `wss://127.0.0.1:${server.address().port}`,
    reset: () => (watched = new Set()),
    counted() {
      const sum = { ...ended }
      for (const { client, up, down } of watched) {
        sum.up += up
        sum.down += down
        // Below the TLS socket lies the one of TCP.
        sum.tlsUp += client._parent?.bytesRead ?? client.bytesRead
        sum.tlsDown += client._parent?.bytesWritten ?? client.bytesWritten
      }
      return sum
    },
    async quiet() {
      heardAt = Date.now()
      while (Date.now() - heardAt < QUIET_MS) await sleep(50)
    },
    close: () => new Promise(resolve => server.close(resolve) && setTimeout(resolve, 200))
  }
}

function report(samples) {
  const steps = Object.keys(GOALS)
  const ways = ['sent', 'received', 'tlsSent', 'tlsReceived']
  const of = (step, way) => samples.map(sample => sample[step][way])
  const measurements = steps.flatMap(step =>
    ways.map(way => measurement(`bytes-${step}-${way}`, 'mayfly', 'B', of(step, way)))
  )
  const value = (step, way) => measurements.find(({ measure }) => measure === `bytes-${step}-${way}`).value
  const rows = steps.map(step => [step, ...ways.map(way => value(step, way).toFixed(0))])
  const text = table([['step', 'sent', 'received', 'sent with TLS', 'received with TLS'], ...rows])
  const goals = steps.map(step => ({
    what: `${step}: bytes sent`,
    value: value(step, 'sent'),
    most: GOALS[step]
  }))
  return judged(measurements, text, goals)
}
