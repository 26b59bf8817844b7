import { expect } from 'chai'
import type { RawClient } from './raw-client.js'
import { randomHash, randomPeerId } from './random-id.js'
import { ownStage, sharedStage } from './stage.js'
import { eventually, within } from './time.js'

const receiver = { peerId: randomPeerId(), mediatorId: randomHash() }

describe('Conformance: violations', () => {
  const stage = sharedStage()
  const early = (): Promise<RawClient> => stage.socket()
  const late = (): Promise<RawClient> => stage.peer()
  const violations: Record<string, [() => Promise<RawClient>, unknown]> = {
    bad_message: [late, 'not JSON'],
    unknown_type: [late, { type: 'nonsense' }],
    not_established: [early, { type: 'get_peers', fullHash: randomHash() }],
    already_established: [late, { type: 'handshake' }],
    message_too_large: [late, { type: 'signal', ...receiver, data: 'x'.repeat(17_000) }]
  }

  for (const [code, [open, message]] of Object.entries(violations)) {
    it(`closes with 4400 after the 10th ${code}, which is still answered`, async () => {
      const client = await open()
      for (let time = 0; time < 9; time++) expect(await client.refusal(message)).to.equal(code)
      expect(client.isOpen).to.equal(true)
      expect(await client.refusal(message)).to.equal(code)
      expect(await within(3000, client.closed, 'the close')).to.equal(4400)
    })
  }

  it('are counted over all their codes, before and after the handshake', async () => {
    const client = await stage.socket()
    for (let time = 0; time < 4; time++) await client.refusal({ type: 'announce' })
    await client.shakeHands(randomPeerId())
    for (const message of ['', { type: 'peers' }, { type: 'handshake' }, { type: 'get_peers' }]) {
      await client.refusal(message)
    }
    client.sendBinary(Buffer.of(1))
    await client.takeType('error')
    await client.settled()
    expect(await client.refusal({ type: 'finish' })).to.equal('bad_message')
    expect(await within(3000, client.closed, 'the close')).to.equal(4400)
  })

  it('are not forgiven for good messages in between', async () => {
    const client = await stage.peer()
    for (let time = 0; time < 9; time++) {
      await client.refusal('{')
      await client.ask(randomHash())
    }
    await client.refusal('{')
    expect(await within(3000, client.closed, 'the close')).to.equal(4400)
  })

  it('of one connection do not count for another of the same peer', async () => {
    const client = await stage.peer()
    for (let time = 0; time < 9; time++) await client.refusal('{')
    await client.close()
    const again = await stage.peer({ peerId: client.peerId })
    await again.refusal('{')
    await again.settled()
  })

  it('are answered to the 10th and no further when they come in one piece', async () => {
    const client = await stage.peer()
    client.together(() => {
      for (let time = 0; time < 30; time++) client.sendText('null')
    })
    expect(await within(2000, client.closed, 'the close')).to.equal(4400)
    expect(client.inbox.map(({ code }) => code)).to.deep.equal(
      Array.from({ length: 10 }, () => 'bad_message')
    )
  })

  it('finish the announcements of the connection that they close, and of no other', async () => {
    const fullHash = randomHash()
    const [bad, good] = await stage.seeders(2, fullHash)
    bad?.together(() => {
      for (let time = 0; time < 10; time++) bad.sendText('[null]')
    })
    await bad?.closed
    const asker = await stage.peer()
    await eventually(
      async () => expect((await asker.ask(fullHash)).peers).to.deep.equal([good?.address]),
      2000
    )
  })

  it('do not let a message behind the last one have an effect', async () => {
    const fullHash = randomHash()
    const client = await stage.peer()
    client.together(() => {
      for (let time = 0; time < 10; time++) client.sendText('[null]')
      client.send({ type: 'announce', fullHash })
    })
    await client.closed
    const asker = await stage.peer()
    expect((await asker.ask(fullHash)).peers).to.deep.equal([])
  })

  it('have a message for people beside the code', async () => {
    const client = await stage.peer()
    for (const message of [
      '{',
      { type: 'x' },
      { type: 'handshake' },
      { type: 'signal', ...receiver, data: 1 }
    ]) {
      if (typeof message === 'string') client.sendText(message)
      else client.send(message)
      const error = await client.takeType('error')
      expect(error.message).to.be.a('string').with.length.above(0)
      expect(Object.keys(error)).to.include.members(['type', 'code', 'message'])
    }
  })
})

describe('Conformance: maxViolations 3', () => {
  const stage = ownStage({ limits: { maxViolations: 3, maxMessageBytes: 2000, maxSignalBytes: 500 } })

  it('closes with 4400 after the third', async () => {
    const client = await stage.peer()
    await client.refusal('{')
    await client.refusal('{')
    await client.settled()
    expect(await client.refusal('{')).to.equal('bad_message')
    expect(await within(3000, client.closed, 'the close')).to.equal(4400)
  })

  it('stands beside maxMessageBytes 2000: a frame of 2000 bytes is handled, one more closes with 1009', async () => {
    const client = await stage.peer()
    const question = JSON.stringify({ type: 'get_peers', fullHash: randomHash() })
    client.sendText(question.padEnd(2000))
    await client.takeType('peers')
    client.sendText(question.padEnd(2001))
    expect(await within(3000, client.closed, 'the close')).to.equal(1009)
  })

  it('stands beside maxSignalBytes 500: data of 500 bytes is passed on, one more is message_too_large', async () => {
    const [sender, to] = await stage.introduced()
    sender.send({ type: 'signal', ...to.address, data: 'x'.repeat(498) })
    await to.takeType('signal')
    const tooMuch = { type: 'signal', ...to.address, data: 'x'.repeat(499) }
    expect(await sender.refusal(tooMuch)).to.equal('message_too_large')
  })
})
