/** Reads a content while it arrives: in order, some bytes of it first, and as an answer of HTTP. */
import { createHash, randomBytes } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { connect, MayflyError, readable } from '@mayfly/peer'

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

try {
  // The end first, as a player does that looks for an index there.
  const tail = await new Response(download.stream({ start: 7_999_000 })).arrayBuffer()
  console.log('read the last', tail.byteLength, 'bytes')

  let read = 0
  for await (const part of download) read += part.length
  console.log('read', read, 'bytes')

  const answer = await leecher.fetch(fullHash, { range: 'bytes=1000-1999', type: 'text/plain' })
  console.log(
    answer.status,
    answer.headers.get('content-range'),
    (await answer.arrayBuffer()).byteLength,
    'bytes'
  )

  const hash = createHash('sha256')
  await pipeline(readable(leecher.get(fullHash)), hash)
  console.log('SHA-256', hash.digest('hex'))
} catch (error) {
  console.error(error instanceof MayflyError ? `${error.code}: ${error.message}` : error)
  process.exitCode = 1
}

await Promise.all([seeder.close(), leecher.close()])
process.exit()
