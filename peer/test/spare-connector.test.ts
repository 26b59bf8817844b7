import { expect } from 'chai'
import { MemoryNetwork } from '../src/adapters/memory-connector.js'
import { unavailableConnector } from '../src/adapters/unavailable-connector.js'
import type { PeerSignal } from '../src/core/signal-data.js'
import type { Connection, ConnectionEvents, Connector } from '../src/ports/connector.js'
import { SpareConnector } from '../src/spare-connector.js'
import { ManualClock, settle } from './manual-clock.js'

const STUN = [{ urls: 'stun:stun.example' }]
const CANDIDATE: PeerSignal = { type: 'candidate', candidate: 'candidate:1', sdpMid: '0', sdpMLineIndex: 0 }
const OFFER: PeerSignal = { type: 'offer', sdp: 'offer' }

/** What one made connection was made with and told. */
interface Made {
  readonly initiator: boolean
  readonly events: ConnectionEvents
  closeReason: string | undefined
}

function start() {
  const clock = new ManualClock()
  const made: Made[] = []
  const connector: Connector = {
    unavailable: undefined,
    connect({ initiator }, events): Connection {
      const one: Made = { initiator, events, closeReason: undefined }
      made.push(one)
      return {
        hasControl: false,
        controlBufferedAmount: 0,
        bufferedAmount: 0,
        bufferedAmountLowThreshold: 0,
        signal() {},
        send() {},
        close: reason => void (one.closeReason = reason)
      }
    }
  }
  const told: string[] = []
  const events: ConnectionEvents = {
    onsignal: signal => void told.push(signal.type),
    onopen: () => void told.push('open'),
    onmessage: () => void told.push('message'),
    ondrain: () => void told.push('drain'),
    onsuspect: isSuspect => void told.push(`suspect: ${isSuspect}`),
    onclose: reason => void told.push(`closed: ${reason}`)
  }
  const spares = new SpareConnector(connector, clock)
  const connect = (initiator: boolean, iceServers: typeof STUN = []): Connection =>
    spares.connect({ initiator, iceServers }, events)
  return { clock, made, spares, told, connect }
}

describe('a spare connection', () => {
  it('is begun once, and given to the first who offers', () => {
    const { made, spares, connect } = start()
    spares.prepare([])
    spares.prepare([])
    expect(made).to.have.length(1)
    expect(spares.held).to.equal(1)
    connect(true)
    expect([made.length, spares.held]).to.deep.equal([1, 0])
    connect(true)
    expect(made).to.have.length(2)
  })

  it('is not for who answers', () => {
    const { made, spares, connect } = start()
    spares.prepare([])
    connect(false)
    expect(made.map(({ initiator }) => initiator)).to.deep.equal([true, false])
    expect(spares.held).to.equal(1)
  })

  it('tells what it gathered so far, the offer last, and then all that comes', async () => {
    const { made, spares, told, connect } = start()
    spares.prepare([])
    made[0]?.events.onsignal(OFFER)
    made[0]?.events.onsignal(CANDIDATE)
    connect(true)
    expect(told).to.deep.equal([])
    await settle()
    expect(told).to.deep.equal(['candidate', 'offer'])
    made[0]?.events.onsignal({ type: 'end-of-candidates' })
    made[0]?.events.onopen()
    made[0]?.events.onclose('gone')
    expect(told.slice(2)).to.deep.equal(['end-of-candidates', 'open', 'closed: gone'])
  })

  it('tells at once when it is told to', () => {
    const { made, spares, told, connect } = start()
    spares.prepare([])
    made[0]?.events.onsignal(OFFER)
    connect(true)
    connect(true)
    expect(told).to.deep.equal([])
    spares.tell()
    expect(told).to.deep.equal(['offer'])
  })

  it('is replaced when the ICE servers are others', () => {
    const { made, spares, connect } = start()
    spares.prepare([])
    spares.prepare(STUN)
    expect(made[0]?.closeReason).to.equal('it was not needed')
    connect(true, STUN)
    expect(made).to.have.length(2)
    spares.prepare(STUN)
    connect(true)
    expect(made).to.have.length(4)
  })

  it('is closed when nobody is named for 30 seconds', async () => {
    const { clock, made, spares } = start()
    spares.prepare([])
    await clock.advance(29_999)
    expect(spares.held).to.equal(1)
    await clock.advance(1)
    expect([spares.held, made[0]?.closeReason]).to.deep.equal([0, 'it was not needed'])
    expect(clock.pending).to.equal(0)
  })

  it('that fails while it waits is given to nobody', () => {
    const { clock, made, spares, connect } = start()
    spares.prepare([])
    made[0]?.events.onclose('WebRTC could not start')
    expect([spares.held, clock.pending]).to.deep.equal([0, 0])
    connect(true)
    expect(made).to.have.length(2)
  })

  it('is never begun without WebRTC', () => {
    const spares = new SpareConnector(unavailableConnector('no WebRTC here'), new ManualClock())
    spares.prepare([])
    expect([spares.held, spares.unavailable]).to.deep.equal([0, 'no WebRTC here'])
  })

  it('opens as any other', async () => {
    const network = new MemoryNetwork()
    const spares = new SpareConnector(network.connector(), new ManualClock())
    spares.prepare([])
    await settle()
    const opened: string[] = []
    const ends: { first?: Connection; second?: Connection } = {}
    const events = (name: string, other: () => Connection | undefined): ConnectionEvents => ({
      onsignal: signal => other()?.signal(signal),
      onopen: () => void opened.push(name),
      onmessage() {},
      ondrain() {},
      onsuspect() {},
      onclose() {}
    })
    ends.second = network.connector().connect(
      { initiator: false, iceServers: [] },
      events('second', () => ends.first)
    )
    ends.first = spares.connect(
      { initiator: true, iceServers: [] },
      events('first', () => ends.second)
    )
    await settle()
    expect(opened).to.have.members(['first', 'second'])
    expect(network.made).to.equal(2)
  })
})
