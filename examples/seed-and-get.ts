/** Two sessions, perhaps at two mediators: one seeds, the other gets what it seeds. */
import { connect } from '@mayfly/peer'

const [first, second = first] = process.argv.slice(2)
if (first === undefined || second === undefined) {
  console.error('usage: npx tsx examples/seed-and-get.ts <ws-url> [other-ws-url]')
  process.exit(2)
}

const seeder = await connect(first)
const leecher = await connect(second)

const fullHash = await seeder.seed(new TextEncoder().encode('Hello from one peer to another'))
console.log('seeding', fullHash)

const bytes = await leecher.get(fullHash, { timeoutMs: 10_000 }).bytes()
console.log('got', new TextDecoder().decode(bytes))

await Promise.all([seeder.close(), leecher.close()])
// The WebRTC of Node.js may crash when a process ends by itself.
process.exit(0)
