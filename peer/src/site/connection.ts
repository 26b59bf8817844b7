import { withoutLocal, type PageNetwork } from '../core/local-network.js'
import {
  farthest,
  kindOf,
  networkOf,
  type CandidateKind,
  type Outcome,
  type Tried
} from '../core/reachability.js'
import { attempt } from './attempt.js'
import type { Message } from './wire.js'

/** A description or a candidate, as it travels; from a peer that is not trusted. */
export type PeerSignal = Readonly<Record<string, unknown>>

export type Lane = 'data' | 'control'

/** What a connection tells its owner; nothing after `onclose`, which comes once. */
export interface ConnectionEvents {
  /** To be sent to the other side, in order. */
  onsignals(signals: PeerSignal[]): void
  onopen(): void
  /** How the attempt went, once at most: it was no attempt if the owner or the other side ended it before. */
  ontried?(tried: Tried): void
  onmessage(message: Message): void
  /** Fewer bytes wait to be sent than before. */
  ondrain(): void
  onclose(): void
}

export interface Connection {
  readonly isOpen: boolean
  /** Bytes that wait to be sent. */
  readonly buffered: number
  /** As the checks of ICE took; undefined: not known yet. */
  readonly roundTripMs: number | undefined
  /** Both sides have a lane for control messages: probes are answered. */
  readonly hasControl: boolean
  signal(signal: PeerSignal): Promise<void>
  send(message: Message, lane: Lane): void
  close(): void
}

/** Candidates that a description waits for, so that they travel with it: those of the own network are there by then. */
const GATHER_MS = 8
/** Later ones travel together. */
const BATCH_MS = 40
/** Whoever answers at all has answered an offer by then. */
const ANSWER_MS = 3_000
/** Not open so long after the other side has described itself, it never will be. */
const OPEN_MS = 5_000
/** Without any candidate by then, WebRTC may use no UDP here. */
const CANDIDATE_MS = 1_000
/** ICE often heals within a second or two. */
const DISCONNECTED_MS = 5_000
const CONTROL_ID = 10
const CONTROL_MARK = 'a=mayfly-control:1\r\n'
/** Lines that no data channel needs, and ways that hardly ever lead between two homes. */
const NEEDLESS = /a=(extmap-allow|msid-sem|candidate:\S+ \d+ tcp)[^\r]*\r\n/gi
const MAX_BEFORE = 64
const MAX_SDP = 12_288
const MAX_CANDIDATES = 20

/**
 * One RTCPeerConnection with a data channel for each of two lanes (docs/PROTOCOL.md). Whatever the other side signals or
 * sends leads to `onclose` at worst. Undefined: the browser makes no more of them, and `events` are told nothing.
 */
export function openConnection(
  iceServers: RTCIceServer[],
  isInitiator: boolean,
  events: ConnectionEvents,
  page: PageNetwork
): Connection | undefined {
  // A mediator names the servers: what this platform does not take must not end in the page. Neighbours are found without.
  const rtc = attempt(() => new RTCPeerConnection({ iceServers })) ?? attempt(() => new RTCPeerConnection())
  // Chromium makes 500 for a page and not one more, closed ones included for as long as they are not swept up.
  if (!rtc) return undefined
  const began = performance.now()
  let openMs = 0
  let roundTripMs: number | undefined
  let ours: CandidateKind = '-'
  let theirs: CandidateKind = '-'
  let network: string | undefined
  let hasGathered = false
  let isTried = false
  let data: RTCDataChannel | undefined
  let control: RTCDataChannel | undefined
  let isOpen = false
  let isClosed = false
  let canSend = isInitiator
  let queue: PeerSignal[] = []
  let batch: ReturnType<typeof setTimeout> | undefined
  let isTold = false
  let isDescribed = false
  let candidates = 0
  let early: PeerSignal[] | undefined = []
  let lost: ReturnType<typeof setTimeout> | undefined

  const close = (): void => {
    if (isClosed) return
    if (isOpen) tried('opened')
    isClosed = true
    isOpen = false
    for (const timer of [batch, lost, late, gathering]) clearTimeout(timer)
    rtc.close()
    events.onclose()
  }
  const tried = (outcome: Outcome, pair = ours + theirs): void => {
    if (isTried || isClosed) return
    isTried = true
    events.ontried?.({ outcome, pair, ms: openMs || performance.now() - began, network })
  }
  const fail = (outcome: Outcome): void => {
    tried(outcome)
    close()
  }
  /** What one lane brings before the other is open: it could not be answered. */
  const before: Message[] = []
  let late = setTimeout(fail, ANSWER_MS, 'silent')
  let gathering: ReturnType<typeof setTimeout> | undefined
  const opened = (): void => {
    if (
      !canSend ||
      isOpen ||
      isClosed ||
      data?.readyState !== 'open' ||
      (control && control.readyState !== 'open')
    )
      return
    isOpen = true
    clearTimeout(late)
    openMs = performance.now() - began
    const report = (stats?: RTCStatsReport): void => {
      const [kinds, seconds] = (stats && pairOf(stats)) ?? []
      if (seconds) roundTripMs = seconds * 1_000
      tried('opened', kinds)
    }
    rtc.getStats().then(report, () => report())
    events.onopen()
    for (const message of before.splice(0)) if (!isClosed) events.onmessage(message)
  }
  const adopt = (channel: RTCDataChannel): void => {
    channel.binaryType = 'arraybuffer'
    channel.onopen = opened
    channel.onclose = close
    channel.bufferedAmountLowThreshold = 32_768
    channel.onbufferedamountlow = () => !isClosed && events.ondrain()
    channel.onmessage = ({ data: message }) => {
      if (!(message instanceof ArrayBuffer)) close()
      else if (isOpen) events.onmessage(new Uint8Array(message))
      else if (before.push(new Uint8Array(message)) > MAX_BEFORE) close()
    }
  }
  const openControl = (): void =>
    adopt((control = rtc.createDataChannel('', { negotiated: true, id: CONTROL_ID })))
  const flush = (): void => {
    batch = undefined
    if (!isClosed && queue.length > 0) events.onsignals(queue.splice(0))
  }
  const describe = async (): Promise<void> => {
    await rtc.setLocalDescription()
    if (isClosed) return
    gathering = setTimeout(() => hasGathered || fail('none'), CANDIDATE_MS)
    // With the candidates that are found by then.
    batch = setTimeout(() => {
      const { type, sdp = '' } = rtc.localDescription ?? {}
      const told = withoutLocal(sdp.replace(NEEDLESS, ''), page)
      queue = [{ type, sdp: told + (control ? CONTROL_MARK : '') }]
      isTold = true
      flush()
    }, GATHER_MS)
  }
  // One that this platform does not take is one way less.
  const add = (candidate: PeerSignal): Promise<void> => rtc.addIceCandidate(candidate).catch(() => {})
  const hear = (candidate: string): void => {
    theirs = farthest(theirs, kindOf(candidate))
  }
  const agree = async (type: 'offer' | 'answer', described: unknown): Promise<void> => {
    if (isDescribed || (type === 'offer') === isInitiator || !isDataOnly(described)) return close()
    isDescribed = true
    clearTimeout(late)
    late = setTimeout(fail, OPEN_MS, 'failed')
    const sdp = withoutLocal(described, page)
    const named = sdp.match(/^a=candidate.*/gm) ?? []
    if ((candidates += named.length) > MAX_CANDIDATES) return close()
    named.forEach(hear)
    const isMarked = sdp.includes(CONTROL_MARK)
    if (!isInitiator && isMarked) openControl()
    if (isInitiator && !isMarked) control = undefined
    await rtc.setRemoteDescription({ type, sdp: sdp.replace(CONTROL_MARK, '') })
    // More may come meanwhile.
    for (const candidate of early ?? []) await add(candidate)
    early = undefined
    if (!isInitiator) await describe()
  }
  const take = async (signal: PeerSignal): Promise<void> => {
    const { type } = signal
    if (type === 'offer' || type === 'answer') return agree(type, signal['sdp'])
    const candidate = withoutLocal(String(signal['candidate']), page)
    if (type !== 'candidate' || ++candidates > MAX_CANDIDATES || !candidate) return
    hear(candidate)
    const allowed = { ...signal, candidate }
    if (early) early.push(allowed)
    else await add(allowed)
  }

  rtc.onicecandidate = ({ candidate }) => {
    if (candidate?.protocol === 'tcp') return
    if (!candidate && !hasGathered) fail('none')
    if (!candidate?.candidate) return
    hasGathered = true
    network ??= networkOf(candidate.candidate)
    const line = withoutLocal(candidate.candidate, page)
    ours = farthest(ours, kindOf(line))
    if (!isTold || !line) return
    const { sdpMid, sdpMLineIndex } = candidate
    queue.push({ type: 'candidate', candidate: line, sdpMid, sdpMLineIndex })
    batch ??= setTimeout(flush, BATCH_MS)
  }
  rtc.oniceconnectionstatechange = () => {
    clearTimeout(lost)
    if (rtc.iceConnectionState === 'failed') fail('failed')
    if (rtc.iceConnectionState === 'disconnected') lost = setTimeout(close, DISCONNECTED_MS)
  }
  if (isInitiator) {
    adopt((data = rtc.createDataChannel('mayfly')))
    openControl()
    describe().catch(close)
  } else {
    rtc.ondatachannel = ({ channel }) => {
      if (data) return close()
      adopt((data = channel))
      const settle = (): void => {
        canSend = true
        opened()
      }
      // Chromium tells of a channel a moment before it can send, and loses what it is given till then. Statistics come behind.
      rtc.getStats().then(settle, settle)
    }
  }
  return {
    get isOpen() {
      return isOpen
    },
    get buffered() {
      return (data?.bufferedAmount ?? 0) + (control?.bufferedAmount ?? 0)
    },
    get roundTripMs() {
      return roundTripMs
    },
    get hasControl() {
      return control !== undefined
    },
    signal: signal => take(signal).catch(close),
    send: (message, lane) => {
      try {
        if (isOpen) (lane === 'control' && control ? control : data)?.send(message)
      } catch {
        close()
      }
    },
    close
  }
}

/** Kinds of the pair of candidates that the connection goes by, and its last round trip in seconds. */
function pairOf(stats: RTCStatsReport): [kinds: string, seconds: number | undefined] | undefined {
  for (const one of (stats as Map<string, RTCIceCandidatePairStats>).values())
    if (one.nominated && one.state === 'succeeded') {
      const kinds = [one.localCandidateId, one.remoteCandidateId].map(
        id => (stats.get(id) as { candidateType: string } | undefined)?.candidateType[0]
      )
      return [kinds.join(''), one.currentRoundTripTime]
    }
  return undefined
}

/** One data channel transport and nothing else: some platforms read past what is missing. */
function isDataOnly(sdp: unknown): sdp is string {
  return (
    typeof sdp === 'string' &&
    sdp.length <= MAX_SDP &&
    sdp.startsWith('v=0') &&
    sdp.match(/^m=/gm)?.length === 1 &&
    /^m=application [^\r\n]*SCTP/m.test(sdp)
  )
}
