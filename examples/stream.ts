/** Reads a content in order while it arrives, shows progress, and gives up after a minute. */
import { randomBytes } from 'node:crypto'
import { connect, MayflyError } from '@mayfly/peer'

const [mediator] = process.argv.slice(2)
if (mediator === undefined) {
  console.error('usage: npx tsx examples/stream.ts <ws-url>')
  process.exit(2)
}

const seeder = await connect(mediator)
const fullHash = await seeder.seed(randomBytes(8_000_000))

const leecher = await connect(mediator)
const download = leecher.get(fullHash, { signal: AbortSignal.timeout(60_000) })
download.addEventListener('progress', ({ detail }) => {
  console.log(detail.state, detail.verifiedBytes, 'of', detail.length ?? 'unknown', 'bytes')
})

let read = 0
try {
  for await (const part of download.stream()) read += part.length
  console.log('read', read, 'bytes')
} catch (error) {
  console.error(error instanceof MayflyError ? `${error.code}: ${error.message}` : error)
}

await Promise.all([seeder.close(), leecher.close()])
process.exit(0)
