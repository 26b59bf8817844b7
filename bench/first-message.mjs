import { fork } from 'node:child_process'
import { cpus, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { launchChromium } from './chromium.mjs'
import { judged, measurement, table } from './report.mjs'

const BUSY = fileURLToPath(new URL('first-message/busy.mjs', import.meta.url))
/** Connections of one page: a browser makes no more than some 500 RTCPeerConnections in one. */
const IN_A_PAGE = 200
/** Connections of each contender in a round. */
const IN_A_ROUND = 1_000
const AT_A_TIME = 4
/** What has not come by then is lost: between two connections of one page it takes milliseconds. */
const PATIENCE_MS = 6_000
/** Sends when the browser tells of the other side's channel, or when it has answered a question for statistics after that. */
const CONTENDERS = ['at once', 'after statistics']

export const usualRounds = 10

/**
 * How often Chromium loses the first message of the side that answers a connection, on a busy machine: connections of two
 * RTCPeerConnections in one page, with nothing of Mayfly, while processes take the processors for 2 ms at a time.
 *
 * Gives `measurements`, `text` to print, and what goal was `missed`, if any.
 */
export async function run({ rounds, progress }) {
  const busy = cpus().flatMap(() => [fork(BUSY), fork(BUSY)])
  // Where that is allowed: so that they are let in at once.
  for (const { pid } of busy) raisePriority(pid)
  const browser = await launchChromium({})
  try {
    const samples = new Map(CONTENDERS.map(name => [name, []]))
    for (let round = 1; round <= rounds; round++)
      for (const name of CONTENDERS) {
        const lost = await lostInRound(browser, name)
        samples.get(name).push(lost)
        progress(`round ${round} of ${rounds}: ${name}, ${lost} of ${IN_A_ROUND} lost`)
      }
    return report(samples)
  } finally {
    await browser.close()
    for (const one of busy) one.kill()
  }
}

function raisePriority(pid) {
  try {
    setPriority(pid, -15)
  } catch {
    // Only root may.
  }
}

async function lostInRound(browser, name) {
  let lost = 0
  for (let made = 0; made < IN_A_ROUND; made += IN_A_PAGE) lost += await lostInPage(browser, name)
  return lost
}

async function lostInPage(browser, name) {
  const page = await browser.newPage()
  const settings = { count: IN_A_PAGE, atATime: AT_A_TIME, patienceMs: PATIENCE_MS, name }
  const lost = await page.evaluate(lostAmong, settings)
  await page.close()
  return lost
}

/** Runs in a page. Gives how many connections lost the first message of the side that answers. */
async function lostAmong({ count, atATime, patienceMs, name }) {
  let lost = 0
  const connect = async () => {
    const offering = new RTCPeerConnection()
    const answering = new RTCPeerConnection()
    offering.onicecandidate = ({ candidate }) => candidate && answering.addIceCandidate(candidate)
    answering.onicecandidate = ({ candidate }) => candidate && offering.addIceCandidate(candidate)
    const channel = offering.createDataChannel('data')
    const came = new Promise(resolve => {
      channel.onmessage = () => resolve(true)
      setTimeout(resolve, patienceMs, false)
    })
    answering.ondatachannel = async ({ channel: theirs }) => {
      if (name === 'after statistics') await answering.getStats()
      theirs.send(new Uint8Array(30_000))
    }
    await offering.setLocalDescription()
    await answering.setRemoteDescription(offering.localDescription)
    await answering.setLocalDescription()
    await offering.setRemoteDescription(answering.localDescription)
    if (!(await came)) lost++
    offering.close()
    answering.close()
  }
  const connectInTurn = async () => {
    for (let i = 0; i < count; i += atATime) await connect()
  }
  await Promise.all(Array.from({ length: atATime }, connectInTurn))
  return lost
}

function report(samples) {
  const measurements = []
  const rows = [['contender', 'connections', 'lost']]
  const lostBy = {}
  for (const [name, losses] of samples) {
    measurements.push(measurement('first messages lost', name, `of ${IN_A_ROUND}`, losses))
    lostBy[name] = losses.reduce((sum, lost) => sum + lost, 0)
    rows.push([name, String(losses.length * IN_A_ROUND), String(lostBy[name])])
  }
  return judged(measurements, table(rows), [
    { what: 'lost after statistics', value: lostBy['after statistics'], most: 0 }
  ])
}
