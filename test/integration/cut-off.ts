// Two peers with a channel between them, in a network namespace of this process's own, whose only address goes away
// and is replaced by another. Says one line of JSON: the milliseconds until both have another channel that works.
//   unshare --net node --import tsx test/integration/cut-off.ts
import { execFileSync } from 'node:child_process'
import type { JsonValue, MediatorId, PeerAddress, PeerId } from '@mayfly/common'
import { nodeConnector } from '../../peer/src/adapters/node-connector.js'
import { Channels } from '../../peer/src/channels.js'
import type { Channel } from '../../peer/src/ports/channel.js'
import { until } from '../../peer/test/until.js'

/** ICE takes some seconds to find out, and then a connection is set up. */
const PATIENCE_MS = 30_000

const ip = (...args: string[]): unknown => execFileSync('ip', args)
const addressOf = (digit: string): PeerAddress => {
  return { peerId: digit.repeat(40) as PeerId, mediatorId: 'a'.repeat(64) as MediatorId }
}

interface Person {
  readonly address: PeerAddress
  readonly opened: Channel[]
  channels?: Channels
}

const connector = await nodeConnector()
const people: readonly [Person, Person] = [
  { address: addressOf('1'), opened: [] },
  { address: addressOf('2'), opened: [] }
]
const [alice, bob] = people

// Without a default route no candidates are gathered.
ip('link', 'set', 'lo', 'up')
// Within the computer nothing would be cut off.
ip('addr', 'flush', 'dev', 'lo')
for (const end of ['home', 'phone']) {
  ip('link', 'add', end, 'type', 'veth', 'peer', 'name', `${end}-far`)
  for (const link of [end, `${end}-far`]) ip('link', 'set', link, 'up')
}
ip('addr', 'add', '10.9.0.1/24', 'dev', 'home')
ip('route', 'add', 'default', 'dev', 'home')

for (const [self, other] of [
  [alice, bob],
  [bob, alice]
] as const) {
  self.channels = new Channels(
    { peerId: self.address.peerId, connector },
    {
      onchannel: channel => void self.opened.push(channel),
      onsignal(_, data) {
        const copy = JSON.parse(JSON.stringify(data)) as JsonValue
        setImmediate(() => other.channels?.receive(self.address, copy))
        return true
      }
    }
  )
}
await alice.channels?.open(bob.address)
await until(() => bob.opened.length === 1)
for (const { channels, opened } of people) channels?.setBusy(opened[0]!, true)

ip('addr', 'del', '10.9.0.1/24', 'dev', 'home')
ip('addr', 'add', '10.9.1.1/24', 'dev', 'phone')
ip('route', 'replace', 'default', 'dev', 'phone')
const cutAt = performance.now()
const received: number[] = []
await until(() => people.every(({ opened }) => opened.length === 2), PATIENCE_MS)
bob.opened[1]!.onmessage = message => void received.push(...message)
alice.opened[1]!.send(new Uint8Array([1, 2, 3]))
await until(() => received.length === 3)
await until(() => people.every(({ opened }) => opened[0]!.closed))
process.stdout.write(`${JSON.stringify({ ms: Math.round(performance.now() - cutAt) })}\n`)
// The WebRTC of Node.js crashes at a natural end about half the time.
process.exit(0)
