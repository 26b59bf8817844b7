import type { IceServer } from '@mayfly/common'
import { expect } from 'chai'
import { withoutControlMark } from '../../src/core/sdp.js'
import { decodeSignalData, encodeSignalData, type PeerSignal } from '../../src/core/signal-data.js'
import type { Connection, Connector } from '../../src/ports/connector.js'
import { until } from '../until.js'

/** One end of a connection under test, and all that it told its owner. */
interface End {
  readonly connection: Connection
  readonly messages: Uint8Array[]
  readonly closes: string[]
  readonly signals: PeerSignal[]
  opens: number
  drains: number
}

/** The ends of a suite, all of which are closed after each test. */
function endsOf(setup: () => Promise<readonly [Connector, Connector]>) {
  const ends: End[] = []
  let first: Connector
  let second: Connector

  before(async () => {
    ;[first, second] = await setup()
  })

  afterEach(() => {
    for (const end of ends.splice(0)) end.connection.close('the test is over')
  })

  function start(
    initiator: boolean,
    send: (signal: PeerSignal) => void,
    iceServers: readonly IceServer[] = []
  ): End {
    const end = { messages: [], closes: [], signals: [], opens: 0, drains: 0 } as Omit<End, 'connection'>
    const connection = (initiator ? first : second).connect(
      { initiator, iceServers },
      {
        onsignal(signal) {
          end.signals.push(signal)
          send(signal)
        },
        onopen: () => void (end.opens += 1),
        onmessage: message => void end.messages.push(message),
        ondrain: () => void (end.drains += 1),
        onsuspect() {},
        onclose: reason => void end.closes.push(reason)
      }
    )
    const whole = Object.assign(end, { connection })
    ends.push(whole)
    return whole
  }

  /** `heard` may change what the other side hears of a signal, or keep it back. */
  function pair(
    heard: (signal: PeerSignal, ofInitiator: boolean) => readonly PeerSignal[] = signal => [signal]
  ): readonly [End, End] {
    const ready: { offerer?: End; answerer?: End } = {}
    const offerer = start(true, signal => {
      for (const one of heard(signal, true)) ready.answerer?.connection.signal(one)
    })
    const answerer = start(false, signal => {
      for (const one of heard(signal, false)) ready.offerer?.connection.signal(one)
    })
    ready.offerer = offerer
    ready.answerer = answerer
    return [offerer, answerer]
  }

  async function openPair(): Promise<readonly [End, End]> {
    const both = pair()
    await until(() => both.every(end => end.opens === 1))
    return both
  }
  return { start, pair, openPair }
}

/** What every connector must do. `setup` gives two connectors whose connections can reach each other. */
export function runConnectorContract(
  name: string,
  setup: () => Promise<readonly [Connector, Connector]>
): void {
  describe(`${name} as a connector`, () => {
    const { start, pair, openPair } = endsOf(setup)

    it('opens both ends once', async () => {
      const [offerer, answerer] = await openPair()
      expect([offerer.opens, answerer.opens]).to.deep.equal([1, 1])
      expect(offerer.signals.filter(signal => signal.type === 'offer')).to.have.length(1)
      expect(answerer.signals.filter(signal => signal.type === 'answer')).to.have.length(1)
    })

    it('makes signals that the decoder takes', async () => {
      for (const end of await openPair()) {
        const data = { connection: '0123456789abcdef', signals: end.signals, closed: false }
        for (const envelope of encodeSignalData(data)) {
          const decoded = decodeSignalData(JSON.parse(JSON.stringify(envelope)))
          expect(decoded).to.have.property('ok', true)
        }
      }
    })

    it('carries whole binary messages in order, of one byte to 64 KiB', async () => {
      const [offerer, answerer] = await openPair()
      const sizes = [1, 65_536, 2, 16_384, 65_535, 3]
      for (const [index, size] of sizes.entries())
        offerer.connection.send(new Uint8Array(size).fill(index + 1))
      await until(() => answerer.messages.length === sizes.length)
      expect(answerer.messages.map(message => message.length)).to.deep.equal(sizes)
      expect(answerer.messages.map(message => message.at(-1))).to.deep.equal([1, 2, 3, 4, 5, 6])
      expect(answerer.messages[0]).to.be.instanceOf(Uint8Array)
    })

    it('sends only the bytes of a view, and what they were at the time', async () => {
      const [offerer, answerer] = await openPair()
      const buffer = new Uint8Array([1, 2, 3, 4, 5])
      offerer.connection.send(buffer.subarray(1, 3))
      buffer.fill(9)
      await until(() => answerer.messages.length === 1)
      expect([...(answerer.messages[0] ?? [])]).to.deep.equal([2, 3])
    })

    it('carries messages both ways', async () => {
      const [offerer, answerer] = await openPair()
      answerer.connection.send(new Uint8Array([7]))
      await until(() => offerer.messages.length === 1)
      expect([...(offerer.messages[0] ?? [])]).to.deep.equal([7])
    })

    it('keeps the order of each lane', async () => {
      const [offerer, answerer] = await openPair()
      expect([offerer.connection.hasControl, answerer.connection.hasControl]).to.deep.equal([true, true])
      for (let i = 0; i < 20; i++) {
        offerer.connection.send(new Uint8Array(10_000).fill(i), 'data')
        offerer.connection.send(new Uint8Array([i]), 'control')
      }
      await until(() => answerer.messages.length === 40)
      const inOrder = Array.from({ length: 20 }, (_, i) => i)
      const of = (length: number): unknown[] => {
        return answerer.messages.filter(message => message.length === length).map(([value]) => value)
      }
      expect(of(1)).to.deep.equal(inOrder)
      expect(of(10_000)).to.deep.equal(inOrder)
    })

    it('tells when the buffer has drained to the threshold', async () => {
      const [offerer, answerer] = await openPair()
      offerer.connection.bufferedAmountLowThreshold = 65_536
      let sent = 0
      while (offerer.connection.bufferedAmount <= 65_536 && sent < 1_000) {
        offerer.connection.send(new Uint8Array(65_536))
        sent += 1
      }
      expect(offerer.connection.bufferedAmount).to.be.greaterThan(65_536)
      expect(offerer.drains).to.equal(0)
      await until(() => offerer.drains > 0)
      expect(offerer.connection.bufferedAmount).to.be.at.most(65_536)
      await until(() => answerer.messages.length === sent)
    })

    it('tells both ends once when one of them closes', async () => {
      const [offerer, answerer] = await openPair()
      answerer.connection.close('enough')
      answerer.connection.close('enough again')
      await until(() => offerer.closes.length > 0 && answerer.closes.length > 0)
      offerer.connection.close('me too')
      await until(() => true)
      expect(answerer.closes).to.deep.equal(['enough'])
      expect(offerer.closes).to.have.length(1)
    })

    it('does nothing and throws nothing after it closed', async () => {
      const [offerer, answerer] = await openPair()
      const signals = [...answerer.signals]
      offerer.connection.close('enough')
      for (const signal of signals) offerer.connection.signal(signal)
      offerer.connection.send(new Uint8Array([1]))
      await until(() => answerer.closes.length === 1)
      expect(answerer.messages).to.have.length(0)
      expect(offerer.closes).to.deep.equal(['enough'])
    })

    it('closes once when it is closed before it opened', async () => {
      const [offerer] = pair()
      offerer.connection.close('changed my mind')
      await until(() => offerer.closes.length > 0)
      expect(offerer.closes).to.deep.equal(['changed my mind'])
      expect(offerer.opens).to.equal(0)
    })

    it('closes when a description does not fit its role', async () => {
      const [offerer] = pair()
      await until(() => offerer.signals.some(signal => signal.type === 'offer'))
      const lonely = start(false, () => {})
      const offer = offerer.signals.find(signal => signal.type === 'offer')
      if (offer?.type !== 'offer') throw new Error('no offer')
      lonely.connection.signal({ type: 'answer', sdp: offer.sdp })
      await until(() => lonely.closes.length > 0)
      expect(lonely.closes).to.have.length(1)
    })
  })
}

const CANDIDATE_LINE = /a=(candidate:[^\r]*)\r\n/g

/** What every connector over RTCPeerConnection must do besides: it speaks with older ones, and with what is late or wrong. */
export function runRtcContract(name: string, setup: () => Promise<readonly [Connector, Connector]>): void {
  describe(`${name} over RTCPeerConnection`, () => {
    const { start, pair } = endsOf(setup)

    for (const older of ['offerer', 'answerer'] as const) {
      it(`has one lane where the ${older} knows of no second one`, async () => {
        const both = pair((signal, ofInitiator) => {
          const isOlder = ofInitiator === (older === 'offerer')
          return [isOlder && 'sdp' in signal ? { ...signal, sdp: withoutControlMark(signal.sdp) } : signal]
        })
        const newer = both[older === 'offerer' ? 1 : 0]
        const other = both[older === 'offerer' ? 0 : 1]
        await until(() => both.every(end => end.opens === 1))
        expect(newer.connection.hasControl).to.equal(false)
        for (let i = 0; i < 20; i++) newer.connection.send(new Uint8Array([i]), i % 2 ? 'control' : 'data')
        await until(() => other.messages.length === 20)
        expect(other.messages.map(([value]) => value)).to.deep.equal(Array.from({ length: 20 }, (_, i) => i))
      })
    }

    it('takes twenty candidates that come before the description that they belong to', async () => {
      const held: PeerSignal[] = []
      let isHolding = true
      const [offerer, answerer] = pair((signal, ofInitiator) => {
        const bare = 'sdp' in signal ? { ...signal, sdp: signal.sdp.replace(CANDIDATE_LINE, '') } : signal
        // Only who answers learns of any candidate.
        if (!ofInitiator) return 'sdp' in bare ? [bare] : []
        if ('sdp' in signal)
          for (const [, candidate = ''] of signal.sdp.matchAll(CANDIDATE_LINE))
            held.push(candidateOf(candidate))
        if (!isHolding) return []
        held.push(bare)
        return []
      })
      await until(
        () => held.some(({ type }) => type === 'offer') && held.some(({ type }) => type === 'candidate')
      )
      isHolding = false
      const real = held.filter(({ type }) => type === 'candidate').slice(0, 4)
      for (let i = 0; i < 20 - real.length; i++)
        answerer.connection.signal(candidateOf(`candidate:${i + 9} 1 udp 1 127.0.0.1 ${i + 1} typ host`))
      for (const candidate of real) answerer.connection.signal(candidate)
      answerer.connection.signal(held.find(({ type }) => type === 'offer') as PeerSignal)
      await until(() => offerer.opens === 1 && answerer.opens === 1)
    })

    for (const initiator of [true, false]) {
      it(`throws nothing where the platform refuses the servers of ${initiator ? 'who offers' : 'who answers'}`, async () => {
        const end = start(initiator, () => {}, [{ urls: 'stun:' }])
        end.connection.send(new Uint8Array([1]))
        end.connection.close('the test is over')
        await until(() => end.closes.length > 0)
        expect(end.closes).to.have.length(1)
      })
    }
  })
}

function candidateOf(candidate: string): PeerSignal {
  return { type: 'candidate', candidate, sdpMid: '0', sdpMLineIndex: 0 }
}
