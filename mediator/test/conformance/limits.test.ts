import { expect } from 'chai'
import { randomPeerId } from './random-id.js'
import { runToExit, SpawnedMediator, type Exit } from './spawned-mediator.js'
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

/** Runs `tasks` two at a time. */
async function inPairs<Value>(tasks: readonly (() => Promise<Value>)[]): Promise<Value[]> {
  const results: Value[] = []
  for (let next = 0; next < tasks.length; next += 2) {
    results.push(...(await Promise.all(tasks.slice(next, next + 2).map(task => task()))))
  }
  return results
}

describe('Conformance: MAYFLY_LIMITS', function () {
  this.timeout(40_000)
  const stage = ownStage()
  const wrong: Record<string, string> = {
    'no JSON': 'maxHashes=5',
    'an array': '[]',
    null: 'null',
    'a number': '5',
    'a text': '"maxHashes"',
    'an unknown name': '{"maxHashes":5,"maxPeers":1}',
    'a name in another case': '{"MaxHashes":5}',
    'the name __proto__': '{"__proto__":5}',
    'the name toString': '{"toString":5}',
    zero: '{"maxHashes":0}',
    'a negative number': '{"peersPerAnswer":-1}',
    'a number as text': '{"maxHashes":"5"}',
    'null as a number': '{"maxHashes":null}',
    'true as a number': '{"messagesBurst":true}',
    'a list as a number': '{"signalsPerPair":[40]}'
  }
  const exits = new Map<string, Exit>()

  before(async function () {
    this.timeout(60_000)
    const names = Object.keys(wrong)
    const found = await inPairs(
      names.map(name => () => runToExit(['0', '0'], { MAYFLY_LIMITS: wrong[name] ?? '' }))
    )
    for (const [index, exit] of found.entries()) exits.set(names[index] ?? '', exit)
  })

  for (const name of Object.keys(wrong)) {
    it(`is refused with one line and exit 2 where it holds ${name}`, () => {
      const { code, stdout, stderr } = exits.get(name) ?? { code: 0, stdout: '', stderr: '' }
      expect(code, stderr).to.equal(2)
      expect(stdout).to.equal('')
      expect(stderr).to.match(/^[^\n]+\n$/)
    })
  }

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
