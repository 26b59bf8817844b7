import { pageNetwork } from '../adapters/page-network.js'
import { FIRST_TRY_MS, backoffMs } from '../core/backoff.js'
import { isLocalHost, usableIceServers } from '../core/local-network.js'
import { mediatorWatch, type MediatorWatch } from '../core/mediator-watch.js'

/** Where a peer is: its id, and the mediator that it is connected to. */
export interface Address {
  readonly peerId: string
  readonly mediatorId: string
}

/** A message of the mediation protocol (docs/PROTOCOL.md), from a mediator that is not trusted: fields are of any type. */
export type MediatorMessage = Readonly<Record<string, unknown>>

export interface Mediator {
  /** Sends a message, now or when the connection is there; what waits is lost with it. */
  send(message: object): void
  /** For good. A page that is being left does not complain on its console of what was not open yet. */
  close(isLeaving?: boolean): void
}

/** A connection that is not open by then is given up. */
const CONNECT_MS = 5_000
/** One that ended sooner was as good as none. */
const STABLE_MS = 10_000
/** After these the way to a mediator may be gone: it is asked at once. */
const CHANGES = ['online', 'pageshow', 'resume', 'visibilitychange']
/** Values of `readyState`. */
const CONNECTING = 0
const OPEN = 1

export interface MediatorEvents {
  /** Comes first on each connection, whose announcements are to be made then. */
  onestablished(message: MediatorMessage): void
  /** Every other message. */
  onmessage(message: MediatorMessage): void
  /** The connection is lost, or could not be made: what was asked is not answered any more. */
  onlost(): void
}

/**
 * The connection to one mediator of several, made anew when it is lost or has gone silent: with the next one within a second,
 * and when all have failed after `backoffMs`. Never throws: what cannot be dialled has failed, and what this page may not
 * dial is none. `random` gives numbers from 0 to below 1.
 */
export function openMediator(
  urls: readonly string[],
  peerId: string,
  events: MediatorEvents,
  random: () => number = Math.random
): Mediator {
  const page = pageNetwork()
  const closing = new AbortController()
  let usable = urls.flatMap(url => {
    try {
      const { href, hostname } = new URL(url)
      return page.isPublic && isLocalHost(hostname) ? [] : href
    } catch {
      return []
    }
  })
  let socket: WebSocket | undefined
  let watch: MediatorWatch | undefined
  let establishedAt = 0
  let waiting: string[] = []
  // Visitors are spread over all of them.
  let tries = Math.floor(random() * usable.length)
  let failures = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const after = (ms: number, run: () => void): void => {
    clearTimeout(timer)
    timer = setTimeout(run, ms)
  }
  const lost = (waitMs = random() * FIRST_TRY_MS): void => {
    const last = socket
    clearTimeout(timer)
    if (establishedAt && Date.now() - establishedAt >= STABLE_MS) failures = 0
    socket = watch = undefined
    waiting = []
    const failedRounds = Math.floor(++failures / usable.length)
    if (usable.length > 0) after(failedRounds ? backoffMs(failedRounds, random()) : waitMs, connect)
    // One that is dead would tell of its end minutes later.
    last?.close()
    events.onlost()
  }
  /** Asks where that is due, and gives up who owes an answer for too long. */
  const look = (isDoubtful?: boolean): void => {
    const verdict = watch?.look(Date.now(), isDoubtful)
    if (verdict === 'silent') return lost()
    if (verdict) {
      watch?.asked(Date.now())
      send({ type: 'get_mediators' })
    }
    if (watch) after(watch.waitMs(Date.now()), look)
  }
  const connect = (): void => {
    establishedAt = 0
    let mine: WebSocket
    try {
      mine = new WebSocket(usable[tries++ % usable.length] ?? '', 'mayfly.v1')
    } catch {
      // The page's policy, or a URL for something else.
      return after(0, () => lost(0))
    }
    socket = mine
    after(CONNECT_MS, lost)
    const whileMine =
      <Event>(run: (event: Event) => void) =>
      (event: Event): void => {
        if (socket === mine) run(event)
      }
    mine.onclose = whileMine(() => lost())
    mine.onopen = whileMine(() => {
      // What is sent right behind a handshake is answered after it: nobody waits for the answer.
      const handshake = JSON.stringify({ type: 'handshake', connectionType: 'mediation', peerId })
      for (const text of [handshake, ...waiting.splice(0)]) mine.send(text)
      watch = mediatorWatch(Date.now())
      owed()
    })
    mine.onmessage = whileMine(({ data }) => {
      const message = messageOf(data)
      const { type, iceServers } = message
      watch?.heard(Date.now(), type !== 'signal')
      look()
      if (type === 'established') {
        establishedAt = Date.now()
        events.onestablished({ ...message, iceServers: usableIceServers(iceServers, page) })
      } else events.onmessage(message)
    })
  }
  const owed = (): void => {
    watch?.asked(Date.now())
    look()
  }
  const send = (message: object): void => {
    const text = JSON.stringify(message)
    if (socket?.readyState === OPEN) {
      socket.send(text)
      // Answered at once; so is what this mediator does not know, with an error.
      if (String((message as MediatorMessage)['type']).startsWith('get_')) owed()
    } else if (!closing.signal.aborted) waiting.push(text)
  }
  const listen = (type: string, run: (event: Event) => void): void =>
    addEventListener(type, run, { capture: true, signal: closing.signal })

  for (const type of CHANGES)
    listen(type, () => {
      if (socket) look(true)
      else if (type === 'online' && usable.length > 0) after(0, connect)
    })
  // It would complain on the console each time.
  listen('securitypolicyviolation', event => {
    const { blockedURI, disposition } = event as SecurityPolicyViolationEvent
    if (disposition === 'report' || !usable.includes(blockedURI)) return
    usable = usable.filter(url => url !== blockedURI)
    lost(0)
  })
  if (usable.length > 0) connect()
  else after(0, lost)
  return {
    send,
    close: isLeaving => {
      const last = socket
      closing.abort()
      clearTimeout(timer)
      socket = watch = undefined
      // A browser complains of one that is closed before it is open.
      if (!isLeaving && last?.readyState === CONNECTING) last.onopen = () => last.close()
      else last?.close()
    }
  }
}

function messageOf(text: unknown): MediatorMessage {
  try {
    // What is no object becomes one without fields.
    return Object(JSON.parse(String(text))) as MediatorMessage
  } catch {
    // Taken as an unknown message.
  }
  return {}
}

/** The addresses among what claims to be some. */
export function addressesOf(value: unknown): Address[] {
  return Array.isArray(value) ? value.filter(isAddress) : []
}

export function isAddress(value: unknown): value is Address {
  const { peerId, mediatorId } = (value ?? {}) as Partial<Record<keyof Address, unknown>>
  return typeof peerId === 'string' && typeof mediatorId === 'string'
}
