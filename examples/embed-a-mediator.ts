/** A mediator inside another program: alone, on a free port, until the program ends. */
import { createMediator, mediatorIdOf, NetworkOfOne, newSeed } from '@mayfly/mediator'
import { connect } from '@mayfly/peer'

const mediatorId = mediatorIdOf(newSeed())
const mediator = await createMediator({
  port: 0,
  host: '127.0.0.1',
  joinNetwork: () => Promise.resolve(new NetworkOfOne(mediatorId))
})
console.log('listening on', mediator.publicUrl)

const session = await connect(mediator.publicUrl)
await session.established
console.log('a peer is connected to', session.mediator.mediatorId)

await session.close()
await mediator.close()
// The WebRTC of Node.js may crash when a process ends by itself.
process.exit(0)
