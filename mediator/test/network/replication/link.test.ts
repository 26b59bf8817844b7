import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import {
  DEFAULT_MEDIATION_LIMITS,
  DEFAULT_REPLICATION_LIMITS,
  type MediatorId,
  type PeerId
} from '@mayfly/common'
import { Identity } from '../../../src/network/identity.js'
import { Link, type LinkEffect, type LinkMessage } from '../../../src/network/replication/link.js'

const LIMITS = { ...DEFAULT_MEDIATION_LIMITS, ...DEFAULT_REPLICATION_LIMITS }
const URL_OF_LISTENER = 'ws://127.0.0.1:4000'
const QUESTION: LinkMessage = {
  type: 'unreachable',
  from: 'a'.repeat(40) as never,
  to: 'b'.repeat(40) as never
}

const PEER = peer(0)

function peer(n: number): PeerId {
  return n.toString(16).padStart(40, '0') as PeerId
}

interface Ends {
  readonly dialer: Link
  readonly listener: Link
  /** What happened to each, apart from sending. */
  readonly happened: { dialer: LinkEffect[]; listener: LinkEffect[] }
  readonly pass: (from: 'dialer' | 'listener', effects: readonly LinkEffect[]) => void
}

const [low, high] = [randomBytes(32), randomBytes(32)]
  .map(seed => new Identity({ seed }))
  .sort((a, b) => (a.mediatorId < b.mediatorId ? -1 : 1)) as [Identity, Identity]

function nonce(): string {
  return randomBytes(32).toString('hex')
}

/** Two ends joined without a network. */
function ends(options: {
  dialer?: Identity
  listener?: Identity
  wants?: MediatorId
  claims?: MediatorId
  dialled?: string
  probe?: boolean
}): Ends {
  const { dialer: own = low, listener: other = high, dialled = URL_OF_LISTENER, probe = false } = options
  const dialer = new Link(
    {
      identity: own,
      role: 'dialer',
      other: options.wants ?? other.mediatorId,
      url: dialled,
      nonce: nonce(),
      probe
    },
    LIMITS,
    0
  )
  const claimed = options.claims ?? own.mediatorId
  const listener = new Link(
    { identity: other, role: 'listener', other: claimed, url: URL_OF_LISTENER, nonce: nonce() },
    LIMITS,
    0
  )
  const happened: Ends['happened'] = { dialer: [], listener: [] }
  const pass: Ends['pass'] = (from, effects) => {
    for (const effect of effects) {
      const to = from === 'dialer' ? 'listener' : 'dialer'
      if (effect.type === 'send') pass(to, (to === 'dialer' ? dialer : listener).receive(effect.text, 1))
      else happened[from].push(effect)
    }
  }
  return { dialer, listener, happened, pass }
}

function greet({ dialer, listener, pass }: Ends): void {
  pass('dialer', dialer.start())
  pass('listener', listener.start())
}

/** The first text that is sent. */
function sent(effects: readonly LinkEffect[]): { readonly text: string } {
  const first = effects[0]
  if (first?.type !== 'send') throw new Error('nothing is sent')
  return first
}

/** The number that a message was given as its receiver. */
function receiverIn(effect: LinkEffect): number {
  if (effect.type !== 'message' || effect.message.type !== 'unreachable') throw new Error(effect.type)
  return Number.parseInt(effect.message.to, 16)
}

function linked(): Ends {
  const both = ends({})
  greet(both)
  both.pass('dialer', both.dialer.use(1))
  return both
}

describe('Link', () => {
  it('is proved on both sides, and used when the mediator with the lower id says so', () => {
    for (const [dialer, listener] of [
      [low, high],
      [high, low]
    ] as const) {
      const both = ends({ dialer, listener })
      greet(both)
      expect([both.dialer.isProved, both.listener.isProved]).to.deep.equal([true, true])
      expect([both.dialer.isUsed, both.listener.isUsed]).to.deep.equal([false, false])
      const [chooser, name] =
        dialer === low ? [both.dialer, 'dialer' as const] : [both.listener, 'listener' as const]
      expect(chooser.decides).to.equal(true)
      both.pass(name, chooser.use(2))
      expect([both.dialer.isUsed, both.listener.isUsed]).to.deep.equal([true, true])
    }
  })

  const refusals: Record<string, Parameters<typeof ends>[0]> = {
    'a dialer that claims another id': { claims: new Identity({ seed: randomBytes(32) }).mediatorId },
    'a listener that is not the wanted one': { wants: new Identity({ seed: randomBytes(32) }).mediatorId },
    'a proof for another URL': { dialled: 'ws://127.0.0.1:4001' },
    itself: { dialer: low, listener: low }
  }
  for (const [what, options] of Object.entries(refusals)) {
    it(`refuses ${what} with 4401`, () => {
      const both = ends(options)
      greet(both)
      const closes = [...both.happened.dialer, ...both.happened.listener].filter(
        ({ type }) => type === 'close'
      )
      expect(closes[0]).to.include({ code: 4401 })
      expect(both.dialer.isProved && both.listener.isProved).to.equal(false)
    })
  }

  it('does not take its own proof, sent back to it, for that of the other', () => {
    const options = { identity: low, role: 'dialer', other: high.mediatorId, url: URL_OF_LISTENER } as const
    const link = new Link({ ...options, nonce: nonce() }, LIMITS, 0)
    const first = sent(link.start())
    const challenge = { ...(JSON.parse(first.text) as object), mediatorId: high.mediatorId }
    const proof = sent(link.receive(JSON.stringify(challenge), 1))
    const effects = link.receive(proof.text, 2)
    expect(effects[0]).to.include({ type: 'close', code: 4401 })
  })

  it('closes with 4401 when the proof does not come in time', () => {
    const { listener } = ends({})
    listener.start()
    expect(listener.wake(LIMITS.handshakeTimeoutMs - 1)).to.deep.equal([])
    expect(listener.wake(LIMITS.handshakeTimeoutMs)[0]).to.include({ type: 'close', code: 4401 })
  })

  it('serves nothing before the proof, and nothing before it is chosen', () => {
    const early = ends({})
    expect(early.listener.receive(JSON.stringify(QUESTION), 1)[0]).to.include({ type: 'close', code: 4401 })
    const both = ends({})
    greet(both)
    expect(both.listener.receive(JSON.stringify(QUESTION), 1)).to.deep.equal([])
    expect(both.listener.post(QUESTION, 1)).to.equal(false)
  })

  it('lets only the mediator with the lower id choose', () => {
    const both = ends({})
    greet(both)
    both.dialer.receive('{"type":"use"}', 2)
    expect(both.dialer.isUsed).to.equal(false)
  })

  it('is closed when nobody chooses it', () => {
    const both = ends({})
    greet(both)
    expect(both.listener.wake(5_001)[0]).to.include({ type: 'close', code: 1000 })
  })

  it('tells the listener that the dialer only probes', () => {
    const both = ends({ probe: true })
    greet(both)
    expect([both.dialer.isProbe, both.listener.isProbe]).to.deep.equal([true, true])
  })

  it('hands messages over once it is used', () => {
    const both = linked()
    both.pass('listener', both.listener.post(QUESTION, 2) || [])
    expect(both.happened.dialer.at(-1)).to.deep.equal({ type: 'message', message: QUESTION })
  })

  it('knows which signals the other side has not handled', () => {
    const both = linked()
    const signal = (n: number) => ({ type: 'route', from: PEER, to: peer(n), data: n }) as const
    for (let n = 0; n < 5; n++) both.pass('dialer', both.dialer.post(signal(n), 2) || [])
    both.pass('listener', both.listener.wake(100))
    // Said twice, this would be taken for a confirmation of signals that were never sent.
    expect(both.listener.wake(200)).to.deep.equal([])
    both.dialer.post(signal(5), 300)
    both.dialer.post(signal(6), 300)
    both.dialer.receive(JSON.stringify({ type: 'unreachable', from: PEER, to: peer(5) }), 300)
    expect(both.dialer.takeUnconfirmed()).to.deep.equal([{ from: PEER, to: peer(6) }])
    expect(both.dialer.takeUnconfirmed()).to.deep.equal([])
  })

  it('sends no signal more than two thousand ahead of what is confirmed', () => {
    const { dialer } = linked()
    let taken = 0
    for (let now = 1; now < 10_000 && taken < 3_000; now += 100) {
      dialer.wake(now)
      while (dialer.post({ type: 'route', from: PEER, to: PEER, data: 0 }, now) !== false) taken++
      if (now % 1_000 === 1) dialer.receive('{"type":"pong"}', now)
    }
    expect(taken).to.equal(2_000)
    dialer.receive('{"type":"routed","count":10}', 10_000)
    expect(dialer.post({ type: 'route', from: PEER, to: PEER, data: 0 }, 10_001)).to.not.equal(false)
  })

  it('takes a confirmation of signals that were not sent for a violation', () => {
    const { dialer } = linked()
    for (let i = 1; i < 10; i++) expect(dialer.receive('{"type":"routed","count":1}', 2)).to.deep.equal([])
    expect(dialer.receive('{"type":"routed","count":1}', 2)[0]).to.include({ type: 'close', code: 4400 })
  })

  it('pings every 5 s, answers pings, and is dead after 15 s without a word', () => {
    const { dialer, listener } = linked()
    const ping = sent(dialer.wake(5_001))
    expect(JSON.parse(ping.text)).to.deep.equal({ type: 'ping' })
    const pong = sent(listener.receive(ping.text, 5_002))
    dialer.receive(pong.text, 5_003)
    expect(dialer.wake(20_000).filter(({ type }) => type === 'close')).to.deep.equal([])
    expect(dialer.wake(20_003).at(-1)).to.include({ type: 'close', code: 1000, reason: 'no sign of life' })
  })

  it('is closed with 4429 by more than a burst of messages', () => {
    const { listener } = linked()
    let closed: LinkEffect | undefined
    let count = 0
    for (; count < 2_000 && closed === undefined; count++) {
      closed = listener.receive('{"type":"pong"}', 1).find(({ type }) => type === 'close')
    }
    expect(closed).to.include({ code: 4429 })
    expect(count).to.be.within(LIMITS.messagesBurst - 10, LIMITS.messagesBurst + 10)
  })

  it('meters what it sends itself, keeps the order, and never exceeds what the other side takes', () => {
    const both = linked()
    const got: number[] = []
    let posted = 0
    for (let now = 1; now < 4_000; now += 50) {
      const effects: LinkEffect[] = []
      while (posted < 2_500 && posted < now * 10) {
        const to = posted.toString(16).padStart(40, '0') as never
        const posting = both.dialer.post({ ...QUESTION, to } as LinkMessage, now)
        if (posting === false) break
        posted++
        effects.push(...posting)
      }
      const answers = [...effects, ...both.dialer.wake(now)].flatMap(effect =>
        effect.type === 'send' ? both.listener.receive(effect.text, now) : []
      )
      got.push(...answers.map(receiverIn))
    }
    expect(got.length).to.be.above(2_000)
    expect(got).to.deep.equal(got.map((_, i) => i))
  })

  it('refuses messages when too many wait for the meter', () => {
    const { dialer } = linked()
    let taken = 0
    while (taken < 10_000 && dialer.post(QUESTION, 1) !== false) taken++
    expect(taken).to.be.within(2_000, 4_000)
  })

  it('is closed with 4400 by the tenth malformed message', () => {
    const { listener } = linked()
    for (let i = 1; i < 10; i++) expect(listener.receive('{"type":"route"}', 2)).to.deep.equal([])
    expect(listener.receive('nonsense', 2)[0]).to.include({ type: 'close', code: 4400 })
    expect(listener.receive('{"type":"ping"}', 3)).to.deep.equal([])
  })

  it('ignores messages of later versions', () => {
    const { listener } = linked()
    for (let i = 0; i < 50; i++) expect(listener.receive('{"type":"later"}', 2)).to.deep.equal([])
  })
})
