// One peer of a swarm, a process of its own. Its parent says `seed` or `get`, and hears what came of it.
import { createHash } from 'node:crypto'
import { connect } from '@mayfly/peer'

let session

process.on('disconnect', () => process.exit(1))
process.on('message', message => void answer(message))
process.send({ ready: true })

async function answer(message) {
  try {
    process.send(await { seed, get }[message.type](message))
  } catch (error) {
    process.send({ error: error.message })
  }
}

async function seed({ mediator, length }) {
  session = await connect(mediator)
  const bytes = randomBytes(length)
  const fullHash = await session.seed(bytes)
  await session.established
  return { fullHash, digest: digestOf(bytes) }
}

/** Set-up counts: the session is opened here. */
async function get({ mediator, fullHash }) {
  session = await connect(mediator)
  const download = session.get(fullHash)
  await download.done
  const arrivedAt = Date.now()
  return { arrivedAt, digest: digestOf(await download.bytes()) }
}

function randomBytes(length) {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes
}

function digestOf(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}
