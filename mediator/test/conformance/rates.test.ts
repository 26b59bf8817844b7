import { expect } from 'chai'
import type { RawClient } from './raw-client.js'
import { UpgradeRefused } from './raw-client.js'
import { randomHash, randomPeerId } from './random-id.js'
import { itTogether } from './it-together.js'
import { ownStage, type ActorOptions, type Stage } from './stage.js'
import { at, eventually, within } from './time.js'

/** Sends `count` messages that do nothing. */
function chatter(client: RawClient, count: number): void {
  client.together(() => {
    for (let sent = 0; sent < count; sent++) client.send({ type: 'finish', fullHashes: [] })
  })
}

async function takeRefusals(client: RawClient, count: number): Promise<void> {
  for (let taken = 0; taken < count; taken++) {
    expect((await client.takeType('error')).code).to.equal('rate_limited')
  }
}

describe('Conformance: messages per connection, without refill', () => {
  const BURST = 30
  const stage = ownStage({ limits: { messagesBurst: BURST, messagesPerSecond: 0.001, signalsPerPair: 2 } })

  it('are handled up to messagesBurst, then answered with rate_limited', async () => {
    const client = await stage.peer()
    chatter(client, BURST - 2)
    await client.settled()
    expect(client.inbox).to.deep.equal([])
    chatter(client, 5)
    await takeRefusals(client, 5)
    expect(client.isOpen).to.equal(true)
  })

  it('have no effect when they are rate_limited', async () => {
    const fullHash = randomHash()
    const client = await stage.peer()
    chatter(client, BURST - 1)
    expect(await client.refusal({ type: 'announce', fullHash })).to.equal('rate_limited')
    const asker = await stage.peer()
    expect((await asker.ask(fullHash)).peers).to.deep.equal([])
  })

  it('close with 4429 at three times messagesBurst and not before', async () => {
    const client = await stage.peer()
    chatter(client, BURST - 1)
    chatter(client, 2 * BURST - 1)
    await takeRefusals(client, 2 * BURST - 1)
    expect(client.isOpen).to.equal(true)
    // Three times the burst, in messages or in refused messages: either reading closes by now.
    chatter(client, BURST + 2)
    expect(await within(2000, client.closed, 'the close')).to.equal(4429)
  })

  it('finish the announcements of the connection that they close', async () => {
    const fullHash = randomHash()
    const seeder = await stage.seeder([fullHash])
    chatter(seeder, 5 * BURST)
    expect(await within(2000, seeder.closed, 'the close')).to.equal(4429)
    const asker = await stage.peer()
    await eventually(async () => expect((await asker.ask(fullHash)).peers).to.deep.equal([]), 2000)
  })

  it('are counted before the handshake too', async () => {
    const socket = await stage.socket()
    socket.together(() => {
      for (let sent = 0; sent < 9; sent++) socket.sendText('{')
    })
    for (let taken = 0; taken < 9; taken++) await socket.takeType('error')
    await socket.shakeHands(randomPeerId())
    chatter(socket, BURST - 10)
    expect(await socket.refusal({ type: 'greet' })).to.equal('rate_limited')
  })

  it('are not counted towards 4429 for being signals over signalsPerPair', async () => {
    const [sender, receiver] = await stage.introduced()
    // So far the handshake and one question. These are two signals, and refused ones up to the burst.
    for (let number = 0; number < BURST - 2; number++) {
      sender.send({ type: 'signal', ...receiver.address, data: number })
    }
    await takeRefusals(sender, BURST - 4)
    chatter(sender, 2 * BURST - 1)
    await takeRefusals(sender, 2 * BURST - 1)
    expect(sender.isOpen).to.equal(true)
  })

  it('are counted for each connection apart', async () => {
    const [noisy, quiet] = [await stage.peer(), await stage.peer()]
    chatter(noisy, 5 * BURST)
    await noisy.closed
    await quiet.settled()
    expect(quiet.inbox).to.deep.equal([])
  })
})

describe('Conformance: messages per connection, with refill', () => {
  const stage = ownStage({ limits: { messagesBurst: 10, messagesPerSecond: 20 } })

  itTogether(stage, {
    'are handled for ever at messagesPerSecond': async () => {
      const client = await stage.peer()
      const start = performance.now()
      for (let sent = 0; sent < 30; sent++) {
        await at(start, sent * 52)
        client.send({ type: 'finish', fullHashes: [] })
      }
      await client.settled()
      expect(client.inbox).to.deep.equal([])
    },

    'are handled again after a pause': async () => {
      const client = await stage.peer()
      chatter(client, 12)
      await client.takeType('error')
      const start = performance.now()
      await at(start, 600)
      client.inbox.splice(0)
      chatter(client, 9)
      await client.settled()
      expect(client.inbox).to.deep.equal([])
    }
  })
})

describe('Conformance: messages per connection by default', () => {
  const stage = ownStage({ limits: { messagesPerSecond: 20, messagesBurst: 120 } })

  it('let a page with 100 assets ask for all of them at once', async () => {
    const client = await stage.peer()
    const hashes = Array.from({ length: 100 }, randomHash)
    for (const fullHash of hashes) client.send({ type: 'get_peers', fullHash })
    for (const fullHash of hashes) await client.take(message => message.fullHash === fullHash)
    expect(client.inbox.filter(({ type }) => type === 'error')).to.deep.equal([])
  })
})

/** Opens connections until one is refused, at most `most`; gives how many were open. */
async function openUntilRefused(stage: Stage, most: number, options: ActorOptions = {}): Promise<number> {
  for (let open = 0; open < most; open++) {
    try {
      await stage.socket(options)
    } catch (error) {
      expect(error).to.be.instanceOf(UpgradeRefused)
      expect((error as UpgradeRefused).status).to.equal(429)
      return open
    }
  }
  return most
}

describe('Conformance: connections of an address', () => {
  const stage = ownStage({ limits: { connectionsPerAddress: 6 } })

  it('past connectionsPerAddress get HTTP 429 until one of the others is gone', async () => {
    expect(await openUntilRefused(stage, 10)).to.equal(6)
    stage.clear()
    await eventually(() => stage.peer(), 2000)
  })
})

describe('Conformance: new connections of an address', () => {
  const stage = ownStage({ limits: { connectionsPerSecond: 2, connectionsBurst: 8 } })

  it('past connectionsBurst get HTTP 429 until time has passed', async () => {
    expect(await openUntilRefused(stage, 30)).to.be.within(8, 12)
    await eventually(() => stage.peer(), 3000)
  })

  it('are refused even though the former ones are gone', async () => {
    let refused = 0
    for (let visit = 0; visit < 20; visit++) {
      try {
        ;(await stage.socket()).destroy()
      } catch (error) {
        expect((error as UpgradeRefused).status).to.equal(429)
        refused += 1
      }
    }
    expect(refused).to.be.above(0)
  })
})

describe('Conformance: connections of an address by default', () => {
  const stage = ownStage({ limits: { connectionsPerAddress: 256 } })
  const fast = ownStage({ limits: { connectionsPerSecond: 20, connectionsBurst: 100 } })

  it('are 256', async () => {
    expect(await openUntilRefused(stage, 300)).to.equal(256)
  })

  it('are 100 at once and 20 more per second', async () => {
    const start = performance.now()
    const count = await openUntilRefused(fast, 300)
    expect(count).to.be.within(100, 101 + Math.ceil((performance.now() - start) / 50))
  })
})
