import type { FullHash, MediatorId, PeerAddress, PeerId } from '@mayfly/common'
import { expect } from 'chai'
import type { CandidateSignal, EarlyOpen, PeerSignal, SignalData } from '../src/core/signal-data.js'
import { Link, type LinkOptions } from '../src/link.js'
import type { Connection, ConnectionEvents } from '../src/ports/connector.js'
import { ManualClock } from './manual-clock.js'

const REMOTE: PeerAddress = { peerId: '2'.repeat(40) as PeerId, mediatorId: 'a'.repeat(64) as MediatorId }
const ID = '0123456789abcdef'
const OFFER: PeerSignal = { type: 'offer', sdp: 'offer' }
const ANSWER: PeerSignal = { type: 'answer', sdp: 'answer' }
const END: PeerSignal = { type: 'end-of-candidates' }

const candidate = (n: number): CandidateSignal => {
  return { type: 'candidate', candidate: `candidate:${n}`, sdpMid: '0', sdpMLineIndex: 0 }
}

/** A link whose platform does what the test says. */
function start(initiator: boolean, more: Partial<LinkOptions> = {}) {
  const clock = new ManualClock()
  const sent: SignalData[] = []
  const taken: PeerSignal[] = []
  const closes: string[] = []
  const suspicions: boolean[] = []
  const opened: Link[] = []
  const box: { events?: ConnectionEvents; canSend: boolean } = { canSend: true }
  const connection: Connection = {
    hasControl: false,
    controlBufferedAmount: 0,
    bufferedAmount: 0,
    bufferedAmountLowThreshold: 0,
    signal: signal => void taken.push(signal),
    send() {},
    close: reason => queueMicrotask(() => box.events?.onclose(reason))
  }
  const connector = {
    unavailable: undefined,
    connect(_: unknown, events: ConnectionEvents) {
      box.events = events
      return connection
    }
  }
  const link = new Link(
    {
      remote: REMOTE,
      connectionId: ID,
      initiator,
      connector,
      iceServers: [],
      clock,
      batchMs: 30,
      giveUpMs: 5_000,
      ...more
    },
    {
      send(_, data) {
        sent.push(data)
        return box.canSend
      },
      opened: which => void opened.push(which),
      suspected: which => void suspicions.push(which.suspect),
      closed: (_, reason) => void closes.push(reason)
    }
  )
  const { events } = box
  if (events === undefined) throw new Error('not connected')
  const receive = (...signals: PeerSignal[]): void => link.receive({ connection: ID, signals, closed: false })
  return {
    link,
    events,
    box,
    clock,
    sent,
    taken,
    closes,
    suspicions,
    opened,
    receive,
    batches: () => sent.map(s => s.signals)
  }
}

const OPEN: EarlyOpen = { fullHash: 'f'.repeat(64) as FullHash, first: 0, count: 16 }

describe('what an offer asks for', () => {
  it('travels with it, and counts once the answer says that it was heard', () => {
    const { link, events, sent } = start(true, { open: OPEN })
    events.onsignal(OFFER)
    events.onsignal(candidate(1))
    expect(sent.map(({ open }) => open)).to.deep.equal([OPEN, undefined])
    expect(link.early).to.equal(undefined)
    link.receive({ connection: ID, signals: [ANSWER], closed: false, opened: true })
    expect(link.early).to.deep.equal({ by: 'us', open: OPEN })
  })

  it('does not count with an answer of who ignores it', () => {
    const { link, events, receive } = start(true, { open: OPEN })
    events.onsignal(OFFER)
    receive(ANSWER)
    expect(link.early).to.equal(undefined)
  })

  it('is heard by who takes it, and the answer says so', () => {
    const { link, events, sent } = start(false, { takesEarly: true })
    link.receive({ connection: ID, signals: [OFFER], closed: false, open: OPEN })
    events.onsignal(ANSWER)
    expect(link.early).to.deep.equal({ by: 'them', open: OPEN })
    expect(sent[0]).to.include({ opened: true })
  })

  it('is not heard by who does not', () => {
    const { link, events, sent } = start(false)
    link.receive({ connection: ID, signals: [OFFER], closed: false, open: OPEN })
    events.onsignal(ANSWER)
    expect(link.early).to.equal(undefined)
    expect(sent[0]).to.include({ opened: false })
  })
})

describe('the signals of a link', () => {
  it('leave at once with a description and the first candidates, then in batches', async () => {
    const { events, clock, batches } = start(true)
    events.onsignal(OFFER)
    expect(batches()).to.deep.equal([[OFFER]])
    for (let n = 1; n <= 2; n++) {
      events.onsignal(candidate(n))
      expect(batches()[n]).to.deep.equal([candidate(n)])
    }
    events.onsignal(candidate(3))
    await clock.advance(29)
    events.onsignal(candidate(4))
    expect(batches()).to.have.length(3)
    await clock.advance(1)
    expect(batches()[3]).to.deep.equal([candidate(3), candidate(4)])
  })

  it('leave at once when no candidate is to come any more', () => {
    const { events, batches } = start(true)
    events.onsignal(OFFER)
    for (let n = 1; n <= 3; n++) events.onsignal(candidate(n))
    events.onsignal(END)
    events.onsignal(END)
    expect(batches().slice(3)).to.deep.equal([[candidate(3), END]])
  })

  it('wait for the description when they come before it, and then travel behind it', async () => {
    const { events, clock, batches } = start(true)
    events.onsignal(candidate(1))
    await clock.advance(100)
    expect(batches()).to.deep.equal([])
    events.onsignal(OFFER)
    expect(batches()).to.deep.equal([[OFFER, candidate(1)]])
  })

  it('are at most 20 candidates, both ways', async () => {
    const { events, clock, sent, taken, receive } = start(true)
    events.onsignal(OFFER)
    receive(ANSWER)
    for (let n = 0; n < 30; n++) {
      events.onsignal(candidate(n))
      receive(candidate(n))
    }
    await clock.advance(100)
    expect(sent.flatMap(data => data.signals).filter(signal => signal.type === 'candidate')).to.have.length(
      20
    )
    expect(taken.filter(signal => signal.type === 'candidate')).to.have.length(20)
  })

  it('reach the platform only as the one description that it waits for', () => {
    const offerer = start(true)
    offerer.receive(OFFER, ANSWER, ANSWER)
    expect(offerer.taken).to.deep.equal([ANSWER])
    const answerer = start(false)
    answerer.receive(ANSWER, OFFER, OFFER)
    expect(answerer.taken).to.deep.equal([OFFER])
  })

  it('are neither sent nor taken once the channel is open', async () => {
    const { events, clock, sent, taken, opened, receive } = start(true)
    events.onsignal(OFFER)
    receive(ANSWER)
    events.onopen()
    events.onsignal(candidate(1))
    events.onopen()
    receive(candidate(2), OFFER)
    await clock.advance(10_000)
    expect(opened).to.have.length(1)
    expect(sent).to.have.length(1)
    expect(taken).to.deep.equal([ANSWER])
    expect(clock.pending).to.equal(0)
  })

  it('that are lost end the attempt if it cannot do without them', async () => {
    const { events, box, clock, closes, receive } = start(true)
    events.onsignal(OFFER)
    receive(ANSWER)
    box.canSend = false
    events.onsignal(candidate(1))
    await clock.advance(100)
    expect(closes).to.deep.equal([])
    const other = start(true)
    other.box.canSend = false
    other.events.onsignal(OFFER)
    expect(other.closes).to.deep.equal(['no mediator could pass the signals on'])
  })
})

describe('a doubt about a link', () => {
  it('is told when it comes and when it goes, while the channel is open', () => {
    const { link, events, suspicions } = start(true)
    events.onsuspect(true)
    expect(link.suspect).to.equal(false)
    events.onopen()
    for (const isSuspect of [false, true, true, false]) events.onsuspect(isSuspect)
    link.doubt(true)
    link.close('enough')
    events.onsuspect(false)
    expect(suspicions).to.deep.equal([true, false, true])
  })
})

describe('the end of a link', () => {
  it('is told to the other side while it waits, and not once the channel is open', () => {
    const waiting = start(true)
    waiting.link.close('enough')
    expect(waiting.sent).to.deep.equal([{ connection: ID, signals: [], closed: true }])
    const open = start(true)
    open.events.onopen()
    open.link.close('enough')
    expect(open.sent).to.deep.equal([])
  })

  it('comes once, whoever ends it', async () => {
    const { link, events, clock, closes } = start(true)
    const told: string[] = []
    link.onclose = reason => void told.push(reason)
    events.onopen()
    link.close('first')
    link.close('second')
    events.onclose('third')
    await clock.advance(20_000)
    expect(closes).to.deep.equal(['first'])
    expect(told).to.deep.equal(['first'])
    expect(clock.pending).to.equal(0)
  })

  it('comes when too many messages arrive before anyone listens', () => {
    const { link, events, closes } = start(false)
    events.onopen()
    for (let n = 0; n < 65; n++) events.onmessage(new Uint8Array([n]))
    expect(closes).to.deep.equal(['too many messages before anyone listened'])
    link.onmessage = () => {
      throw new Error('delivered after the end')
    }
  })

  it('leaves the answering side as long as the offering side may wait in all', async () => {
    const { clock, closes, receive } = start(false)
    receive(OFFER)
    await clock.advance(9_999)
    expect(closes).to.deep.equal([])
    await clock.advance(1)
    expect(closes).to.deep.equal(['the peer could not be connected to in time'])
  })
})
