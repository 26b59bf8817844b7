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
  close(): void
}

/** Milliseconds before the first try anew, doubled with each that fails. */
const RETRY_MS = 1_000
const MAX_RETRY_MS = 60_000
/** A connection that stays silent for so long at its beginning is given up. */
const ANSWER_MS = 5_000
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

/** The connection to one mediator of several, made anew when it is lost. */
export function openMediator(urls: readonly string[], peerId: string, events: MediatorEvents): Mediator {
  let socket: WebSocket | undefined
  let waiting: string[] = []
  let tries = 0
  let retryMs = RETRY_MS
  let timer: ReturnType<typeof setTimeout> | undefined
  const connect = (): void => {
    const url = urls[tries++ % urls.length] ?? ''
    const mine = new WebSocket(url, 'mayfly.v1')
    socket = mine
    timer = setTimeout(() => mine.close(), ANSWER_MS)
    mine.onopen = () => {
      // What is sent right behind a handshake is answered after it: nobody waits for the answer.
      mine.send(JSON.stringify({ type: 'handshake', connectionType: 'mediation', peerId }))
      for (const text of waiting.splice(0)) mine.send(text)
    }
    mine.onmessage = ({ data }) => {
      const message = messageOf(data)
      if (message['type'] === 'established') {
        clearTimeout(timer)
        retryMs = RETRY_MS
        events.onestablished(message)
      } else events.onmessage(message)
    }
    mine.onclose = () => {
      if (socket !== mine) return
      waiting = []
      events.onlost()
      clearTimeout(timer)
      timer = setTimeout(connect, retryMs * (0.5 + Math.random()))
      retryMs = Math.min(MAX_RETRY_MS, retryMs * 2)
    }
  }
  connect()
  return {
    send: message => {
      const text = JSON.stringify(message)
      if (socket?.readyState === OPEN) socket.send(text)
      else waiting.push(text)
    },
    close: () => {
      const last = socket
      socket = undefined
      // A browser complains on its console of one that is closed before it is open. The timer closes one that never opens.
      if (last?.readyState === CONNECTING) last.onopen = () => last.close()
      else {
        clearTimeout(timer)
        last?.close()
      }
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
