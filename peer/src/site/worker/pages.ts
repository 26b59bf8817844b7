import type { ClientState } from '../../core/site-request.js'
import { after } from '../deadline.js'
import { setBounded } from './bounded.js'
import type { Acknowledged, Answer, Asked, Came, PageMessage, WorkerMessage } from './talk.js'

/** What we use of a `Client`. */
export interface PageClient {
  readonly id: string
  postMessage(message: { readonly mayfly: WorkerMessage }, transfer?: Transferable[]): void
}

/** The clients of the worker, and what is known of them. */
export interface SitePages {
  stateOf(clientId: string): ClientState
  /** A page is being opened: all that it will ever fetch comes by here. */
  opened(clientId: string): unknown
  wasOpened(clientId: string): boolean
  said(clientId: string, message: PageMessage): Promise<void>
  /**
   * Asks the page itself, then others that have a session. Undefined: none can bring it in time; false: none says that it tries,
   * within `ms`; `begun`: the page began to play it without a worker. Never rejects.
   */
  ask(clientId: string, asked: Asked, ms: number): Promise<Answer | 'begun' | false>
  tell(clientId: string, came: Came): Promise<void>
}

/** A page that has said how long it tries gives up by itself: one that the browser has frozen since does not. */
const GRACE_MS = 100
const MOST_MS = 10_000
/** What came is told together. */
const TELL_MS = 100
const MAX_CLIENTS = 64
const MAX_CAME = 500
const MAX_OTHERS = 2

export function openPages(clients: { get(id: string): Promise<PageClient | undefined> }): SitePages {
  const states = new Map<string, ClientState>()
  const opened = new Map<string, true>()
  const telling = new Map<string, Came[]>()

  const set = (clientId: string, state: ClientState): unknown =>
    setBounded(states, clientId, state, MAX_CLIENTS)
  /** A new page does not hear yet. */
  const flush = async (clientId: string): Promise<void> => {
    const came = telling.get(clientId)
    if (!came || states.get(clientId) === 'new') return
    telling.delete(clientId)
    await send(clientId, { came })
  }
  /** False: the page is gone. */
  const send = async (
    clientId: string,
    message: WorkerMessage,
    transfer: Transferable[] = []
  ): Promise<boolean> => {
    const client = await clients.get(clientId)
    client?.postMessage({ mayfly: message }, transfer)
    return client !== undefined
  }

  /** `false`: it does not try, or says nothing in time. */
  const askOne = (
    clientId: string,
    asked: Asked,
    late: Promise<unknown>
  ): Promise<Answer | 'begun' | false> =>
    new Promise((resolve, reject) => {
      const { port1, port2 } = new MessageChannel()
      let isTrying = false
      const refused = (): void => {
        if (isTrying) return
        if (states.get(clientId) !== 'shown') set(clientId, 'mute')
        resolve(false)
      }
      port1.onmessage = ({ data }: MessageEvent<Acknowledged | Answer>) => {
        if (typeof data === 'number' && !isTrying) {
          // Also where it comes too late for this time.
          isTrying = true
          set(clientId, 'shown')
          void after(Math.min(data + GRACE_MS, MOST_MS)).then(() => resolve(undefined))
          if (data > 0) return
        }
        port1.close()
        if (data === false) refused()
        else resolve(typeof data === 'number' ? undefined : data)
      }
      port1.addEventListener('close', () => resolve(undefined))
      void late.then(refused)
      send(clientId, { ask: asked }, [port2]).then(isThere => {
        if (isThere) return
        states.delete(clientId)
        resolve(false)
      }, reject)
    })

  return {
    stateOf: clientId => states.get(clientId),
    opened: clientId => {
      setBounded(opened, clientId, true, MAX_CLIENTS)
      set(clientId, 'new')
    },
    wasOpened: clientId => opened.has(clientId),
    said: (clientId, message) => {
      set(clientId, message === 'shown' ? 'shown' : 'mute')
      return flush(clientId)
    },
    ask: async (clientId, asked, ms) => {
      try {
        // Who streams to a page that is closed has nobody to stream for.
        const others = [...states].filter(
          ([id, state]) => state === 'shown' && id !== clientId && !asked.range
        )
        const late = after(ms)
        for (const [id] of [[clientId] as const, ...others.slice(-MAX_OTHERS)]) {
          const answer = await askOne(id, asked, late)
          if (answer !== false) return answer
        }
      } catch {
        // It is gone.
      }
      return false
    },
    tell: async (clientId, came) => {
      const list = telling.get(clientId) ?? []
      if (list.length < MAX_CAME) list.push(came)
      setBounded(telling, clientId, list, MAX_CLIENTS)
      await after(TELL_MS)
      await flush(clientId)
    }
  }
}
