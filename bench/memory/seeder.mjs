// Seeds a file of random bytes from Node.js, and tells its parent the full hash. `node seeder.mjs <file> <bytes> <mediator>`
import { open } from 'node:fs/promises'
import { connect } from '@mayfly/peer'

const CHUNK_BYTES = 1_048_576
const [file, length, mediator] = process.argv.slice(2)

process.on('disconnect', () => process.exit(0))
const handle = await open(file, 'w')
for (let missing = Number(length); missing > 0; missing -= CHUNK_BYTES) {
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, missing))
  for (let at = 0; at < chunk.length; at += 65_536) crypto.getRandomValues(chunk.subarray(at, at + 65_536))
  await handle.write(chunk)
}
await handle.close()
const session = await connect(mediator)
const fullHash = await session.seedFile(file)
await session.established
process.send({ fullHash })
