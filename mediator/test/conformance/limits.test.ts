import { randomPeerId } from './random-id.js'
import { itRefuses, type Invocation } from './it-refuses.js'
import { SpawnedMediator } from './spawned-mediator.js'
import { ownStage } from './stage.js'

const NAMES = [
  'maxMessageBytes',
  'maxSignalBytes',
  'maxViolations',
  'handshakeTimeoutMs',
  'pingIntervalMs',
  'deadAfterMs',
  'sendBufferBytes',
  'maxHashesPerConnection',
  'maxHashes',
  'peersPerAnswer',
  'introductionMs',
  'signalsPerPair',
  'messagesPerSecond',
  'messagesBurst',
  'connectionsPerAddress',
  'connectionsPerSecond',
  'connectionsBurst'
]

function refused(limits: string): Invocation {
  return { args: ['0', '0'], env: { MAYFLY_LIMITS: limits } }
}

describe('Conformance: MAYFLY_LIMITS', function () {
  this.timeout(40_000)
  const stage = ownStage()

  itRefuses('is refused with one line and exit 2 where it holds', {
    'no JSON': refused('maxHashes=5'),
    'an array': refused('[]'),
    null: refused('null'),
    'an unknown name': refused('{"maxHashes":5,"maxPeers":1}'),
    'the name __proto__': refused('{"__proto__":5}'),
    zero: refused('{"maxHashes":0}'),
    'a negative number': refused('{"peersPerAnswer":-1}'),
    'a number as text': refused('{"maxHashes":"5"}')
  })

  it('overrides every limit by its name', async () => {
    const limits = Object.fromEntries(NAMES.map(name => [name, 3000]))
    const mediator = await stage.start({ limits })
    await stage.peer({ mediator })
  })

  it('may be empty: every limit keeps its default', async () => {
    const mediator = await SpawnedMediator.start({ env: { MAYFLY_LIMITS: '{}' } })
    try {
      stage.mediators.push(mediator)
      await stage.peer({ mediator, peerId: randomPeerId() })
    } finally {
      await mediator.kill()
    }
  })
})

describe('Conformance: MAYFLY_LIMITS in more ways @long', () => {
  itRefuses('is refused with one line and exit 2 where it holds', {
    'a number': refused('5'),
    'a text': refused('"maxHashes"'),
    'a name in another case': refused('{"MaxHashes":5}'),
    'the name toString': refused('{"toString":5}'),
    'null as a number': refused('{"maxHashes":null}'),
    'true as a number': refused('{"messagesBurst":true}'),
    'a list as a number': refused('{"signalsPerPair":[40]}')
  })
})
