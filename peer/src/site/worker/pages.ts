import type { ClientState } from '../../core/site-request.js'
import { after } from './after.js'
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
  /** A page is being opened. */
  opened(clientId: string): unknown
  said(clientId: string, message: PageMessage): Promise<void>
  /** Asks the page itself, then others that have a session. Undefined: none can, or not in time. Never rejects. */
  ask(clientId: string, asked: Asked): Promise<Answer>
  keep(clientId: string, fullHash: string, blob: Blob): Promise<void>
  tell(clientId: string, came: Came): Promise<void>
}

/** A page has so long for the bytes: it gives up earlier by itself. */
const ANSWER_MS = 5_000
/** What came is told together. */
const TELL_MS = 100
const MAX_CLIENTS = 64
const MAX_CAME = 500
const MAX_OTHERS = 2

/** `acknowledgeMs`: a page has so long to say whether it tries. */
export function openPages(
  clients: { get(id: string): Promise<PageClient | undefined> },
  acknowledgeMs: number
): SitePages {
  const states = new Map<string, ClientState>()
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
  const askOne = (clientId: string, asked: Asked, late: Promise<unknown>): Promise<Answer | false> =>
    new Promise((resolve, reject) => {
      const { port1, port2 } = new MessageChannel()
      let isTrying = false
      port1.onmessage = ({ data }: MessageEvent<Acknowledged | Answer>) => {
        // Also where it comes too late for this time.
        if (data === true) {
          isTrying = true
          set(clientId, 'shown')
          return
        }
        if (data === false) refused()
        else resolve(data)
        port1.close()
      }
      const refused = (): void => {
        if (isTrying) return
        if (states.get(clientId) !== 'shown') set(clientId, 'mute')
        resolve(false)
      }
      port1.addEventListener('close', () => resolve(undefined))
      void late.then(refused)
      void after(ANSWER_MS).then(() => resolve(undefined))
      send(clientId, { ask: asked }, [port2]).then(isThere => {
        if (isThere) return
        states.delete(clientId)
        resolve(false)
      }, reject)
    })

  return {
    stateOf: clientId => states.get(clientId),
    opened: clientId => set(clientId, 'new'),
    said: (clientId, message) => {
      set(clientId, message === 'shown' ? 'shown' : 'mute')
      return flush(clientId)
    },
    ask: async (clientId, asked) => {
      try {
        // Who streams to a page that is closed has nobody to stream for.
        const others = [...states].filter(
          ([id, state]) => state === 'shown' && id !== clientId && !asked.range
        )
        const late = after(acknowledgeMs)
        for (const [id] of [[clientId] as const, ...others.slice(-MAX_OTHERS)]) {
          const answer = await askOne(id, asked, late)
          if (answer !== false) return answer
        }
      } catch {
        // It is gone.
      }
      return undefined
    },
    keep: async (clientId, fullHash, blob) => void (await send(clientId, { keep: { fullHash, blob } })),
    tell: async (clientId, came) => {
      const list = telling.get(clientId) ?? []
      if (list.length < MAX_CAME) list.push(came)
      setBounded(telling, clientId, list, MAX_CLIENTS)
      await after(TELL_MS)
      await flush(clientId)
    }
  }
}
