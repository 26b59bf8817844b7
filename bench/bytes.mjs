import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { fullHashOfBytes } from './full-hash.mjs'
import { imageOf } from './gallery/images.mjs'
import { launchChromium } from './chromium.mjs'
import { judged, measurement, median, table } from './report.mjs'
import { startServers } from './start-servers.mjs'
import { tlsRelay } from './tls-relay.mjs'

const BUNDLES = fileURLToPath(new URL('../peer/dist/bundle/', import.meta.url))
/** The first is brought over a new channel, the others over the same one. */
const OBJECTS = 11
/** Until a seeder has told the mediator of what it holds. */
const ANNOUNCED_MS = 1_500

/** Bytes of the client, TLS and TCP apart, as Maygh counted (1.3 KB to connect, 0.6 KB for an object; EuroSys 2013). */
const GOALS = { connect: 700, 'object-warm': 120, 'object-new': 1_300 }
/** What `--output` says of each step, and of each number. */
const ABOUT_STEPS = {
  connect: 'to open the session with a mediator',
  'object-warm':
    'one of ten objects over a channel that is open: nothing is asked of the mediator, but it is told of what is now held',
  'object-new':
    'the first object: its lookup, the signalling of a new channel, what passes the channel, and telling of what is now held'
}
const ABOUT_NUMBERS = {
  sent: 'by the client in all, without TLS, DTLS, TCP, UDP and IP: mediatorSent + channelSent',
  received: 'by the client in all, in the same way, without the bytes of the object itself',
  mediatorSent: 'to the mediator: HTTP of the handshake, WebSocket frames and what is in them',
  mediatorReceived: 'from the mediator',
  channelSent: 'messages on the data channel, without SCTP and DTLS',
  channelReceived: 'messages on the data channel, without the bytes of the object itself',
  tlsSent: 'what mediatorSent is with TLS and its handshake, without TCP and IP',
  tlsReceived: 'what mediatorReceived is with TLS and its handshake'
}

export const usualRounds = 5

/**
 * What the script tag sends and receives to connect, for an object over a new channel and for one over a channel that is there.
 * Signalling is what passes a mediator, over TLS; the channel is what its messages have, without the object itself.
 *
 * Gives `measurements`, `text` to print, what goal was `missed`, if any, and `figures`: the table as an object that explains itself.
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
  await sleep(ANNOUNCED_MS)
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
    tlsReceived: each(step.tlsDown),
    mediatorSent: each(step.up),
    mediatorReceived: each(step.down),
    channelSent: each(step.channelUp),
    channelReceived: each(step.channelDown - objectBytes)
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
  return { ...judged(measurements, text, goals), figures: figuresOf(samples, steps) }
}

/** Medians of all samples; see `ABOUT_NUMBERS`. */
function figuresOf(samples, steps) {
  const valuesOf = step =>
    Object.fromEntries(
      Object.keys(ABOUT_NUMBERS).map(way => [way, median(samples.map(sample => sample[step][way]))])
    )
  return {
    about:
      "What a client of Mayfly's script tag sends and receives for each step, without the objects themselves",
    command: 'npm run bench -- bytes --output docs/figures/bytes.json',
    unit: 'bytes',
    statistic: 'median',
    rounds: samples.length,
    numbers: ABOUT_NUMBERS,
    steps: Object.fromEntries(
      steps.map(step => [step, { what: ABOUT_STEPS[step], goalSent: GOALS[step], ...valuesOf(step) }])
    )
  }
}
