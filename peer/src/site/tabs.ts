import type { Outlook } from '../core/patience.js'
import { after } from './deadline.js'
import type { Brought, ObjectSession, Wish } from './object-session.js'

/** A tab that does not answer for so long, beyond the patience of a wish, is not waited for. */
const ANSWER_MS = 5_000
/** The tab that has the session says within this that it tries: one that the browser has frozen does not. */
const TRYING_MS = 60
/** While somebody waits for it, it is asked for a word again and again, so many milliseconds after it was expected. */
const LISTEN_MS = 200
/** A tab that has said nothing for so long, though it was asked, has its session taken over. */
const SILENT_MS = 1_000
/** What another tab has told of whom it can ask is asked for anew after this. */
const OUTLOOK_MS = 500

/** What tabs tell each other. `bytes` travel as a Blob, which is not copied for every tab. */
interface TabMessage {
  readonly wish?: Wish & { readonly id: string }
  /** Nobody waits for it any more. */
  readonly drop?: string
  readonly trying?: string
  readonly answer?: { readonly id: string; readonly blob?: Blob } & Omit<Partial<Brought>, 'bytes'>
  readonly keep?: { readonly fullHash: string; readonly blob: Blob }
  readonly meet?: { readonly id: string; readonly fullHashes: readonly string[]; readonly isWanted: boolean }
  readonly met?: { readonly id: string; readonly isSomebody: boolean }
  /** Another tab has the session from now on. */
  readonly leads?: true
  /** Whom can you ask? */
  readonly looks?: true
  /** With every word of the tab that has the session. */
  readonly outlook?: Outlook
}

interface Meeting {
  readonly fullHashes: readonly string[]
  readonly isWanted: boolean
  settle(isSomebody: boolean): void
}

interface Asked {
  readonly wish: Wish
  readonly dropped: AbortController
  isTried: boolean
  settle(brought?: Brought): void
  /** Nobody waits for it any more. */
  drop(): void
}

const NOBODY: Outlook = { open: 0 }

/**
 * One session for all tabs of a site: the tab that holds a lock has it, the others ask that tab. When it closes, the browser gives
 * the lock to another, and what was asked for is asked for again there. A page that is left closes its own, and has one again
 * when the browser brings it back. `site` names the site among those of one origin.
 */
export function shareAmongTabs(site: string, open: () => ObjectSession): ObjectSession {
  let tab = joinTabs(site, open)
  addEventListener('pagehide', () => tab.close())
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) tab = joinTabs(site, open)
  })
  return {
    bring: (wish, signal) => tab.bring(wish, signal),
    keep: (fullHash, bytes) => tab.keep(fullHash, bytes),
    meet: (fullHashes, isWanted) => tab.meet(fullHashes, isWanted),
    outlook: () => tab.outlook(),
    refresh: () => tab.refresh(),
    close: () => tab.close()
  }
}

function joinTabs(site: string, open: () => ObjectSession): ObjectSession {
  const name = `mayfly ${site}`
  const tab = `${Math.random()}`
  const waiting = new Map<string, Asked>()
  const meeting = new Map<string, Meeting>()
  /** What other tabs wait for, here. */
  const serving = new Map<string, AbortController>()
  const leaving = new AbortController()
  let channel: BroadcastChannel | undefined
  let count = 0
  let isClosed = false
  let session: ObjectSession | undefined
  let release: () => void = () => {}
  let outlook = NOBODY
  let lookedAt = -Infinity
  /** When the tab that has the session was last heard of; and since when it says nothing. */
  let heardAt = -Infinity
  let silentAt = Infinity
  let isListening = false

  // A channel has no target origin: it is the site's own.
  const tell = (message: TabMessage): void => {
    // oxlint-disable-next-line require-post-message-target-origin
    if (!isClosed) channel?.postMessage(message)
  }
  const ask = async (id: string, one: Asked): Promise<void> => {
    const own = session
    one.isTried = own !== undefined
    if (own) return one.settle(await unlessFailed(() => own.bring(one.wish, one.dropped.signal)))
    if (silentAt < Infinity) return one.drop()
    tell({ wish: { ...one.wish, id } })
    void listen()
    await after(TRYING_MS)
    if (!one.isTried && waiting.get(id) === one) one.drop()
  }
  /** Who has the session may be asleep: whoever waits for it has what the site gives then, and after a second another takes over. */
  const listen = async (): Promise<void> => {
    if (isListening) return
    isListening = true
    for (;;) {
      const askedAt = performance.now()
      tell({ looks: true })
      await after(TRYING_MS)
      if (session || isClosed) break
      if (heardAt < askedAt) unheard(askedAt)
      await after(LISTEN_MS)
      if (waiting.size + meeting.size === 0 && silentAt === Infinity) break
    }
    isListening = false
  }
  const unheard = (askedAt: number): void => {
    outlook = NOBODY
    // What is on its way there may come after one moment without a word.
    if (silentAt < askedAt) for (const one of waiting.values()) one.drop()
    silentAt = Math.min(silentAt, performance.now())
    if (performance.now() - silentAt < SILENT_MS) return
    silentAt = Infinity
    take(true)
  }
  const askMeeting = async (id: string, one: Meeting): Promise<void> => {
    const { fullHashes, isWanted } = one
    const own = session
    if (own) return one.settle(!!(await unlessFailed(() => own.meet(fullHashes, isWanted))))
    tell({ meet: { id, fullHashes, isWanted } })
    void listen()
  }
  const askAll = (): void => {
    for (const [id, one] of waiting) void ask(id, one)
    for (const [id, one] of meeting) void askMeeting(id, one)
  }
  const answer = ({ wish, drop, keep, meet, looks }: TabMessage, from: ObjectSession): void => {
    if (looks) tell({ outlook: from.outlook() })
    if (drop) serving.get(drop)?.abort()
    if (keep)
      void unlessFailed(async () => from.keep(keep.fullHash, new Uint8Array(await keep.blob.arrayBuffer())))
    if (meet)
      void unlessFailed(() => from.meet(meet.fullHashes, meet.isWanted)).then(isSomebody =>
        tell({ met: { id: meet.id, isSomebody: !!isSomebody }, outlook: from.outlook() })
      )
    if (!wish) return
    const { id } = wish
    const dropped = new AbortController()
    serving.set(id, dropped)
    tell({ trying: id, outlook: from.outlook() })
    void unlessFailed(() => from.bring(wish, dropped.signal)).then(brought => {
      serving.delete(id)
      const { bytes, ...rest } = brought ?? {}
      tell({ answer: bytes ? { id, blob: new Blob([bytes]), ...rest } : { id }, outlook: from.outlook() })
    })
  }
  const hear = ({ data }: MessageEvent<TabMessage>): void => {
    const { trying = '', answer: answered, met, leads } = data
    const one = waiting.get(trying)
    if (one) one.isTried = true
    if (data.outlook) {
      outlook = data.outlook
      heardAt = performance.now()
      silentAt = Infinity
    }
    if (leads) askAll()
    if (met) meeting.get(met.id)?.settle(met.isSomebody)
    if (answered) void read(answered)
    if (session) answer(data, session)
  }
  const read = async ({ id, blob, source = 'origin', ...rest }: NonNullable<TabMessage['answer']>) => {
    const bytes = blob && new Uint8Array(await blob.arrayBuffer().catch(() => new ArrayBuffer()))
    waiting.get(id)?.settle(bytes && { ...rest, bytes, source })
  }
  const lead = async (): Promise<void> => {
    session ??= open()
    tell({ leads: true, outlook: session.outlook() })
    askAll()
    return new Promise(resolve => (release = resolve))
  }
  /** Waits for the lock, or takes it from whoever has it; who may hold none has a session of its own. */
  const take = (steal: boolean): void => {
    const alone = (): void => {
      if (!isClosed && !session) lead().catch(() => {})
    }
    try {
      channel ??= new BroadcastChannel(name)
      channel.onmessage = hear
      const held = steal
        ? navigator.locks.request(name, { steal }, lead)
        : navigator.locks.request(name, { signal: leaving.signal }, lead)
      held.catch(() => {
        // Another tab has taken it, as this one was asleep.
        if (!session) alone()
        else if (!isClosed) resign()
      })
    } catch {
      alone()
    }
  }
  const resign = (): void => {
    session?.close()
    session = undefined
    take(false)
  }
  const settleAll = (): void => {
    for (const one of waiting.values()) one.settle()
    for (const one of meeting.values()) one.settle(false)
  }
  take(false)
  void listen()

  return {
    bring: (wish, signal) =>
      new Promise(resolve => {
        const id = `${tab}${count++}`
        const settle = (brought?: Brought): void => {
          clearTimeout(late)
          waiting.delete(id)
          resolve(brought)
        }
        const drop = (): void => {
          one.dropped.abort()
          tell({ drop: id })
          settle()
        }
        const one: Asked = { wish, dropped: new AbortController(), isTried: false, settle, drop }
        const late = setTimeout(settle, 6 * wish.patienceMs + ANSWER_MS)
        if (signal?.aborted || isClosed) return settle()
        signal?.addEventListener('abort', drop)
        waiting.set(id, one)
        void ask(id, one)
      }),
    keep: async (fullHash, bytes) => {
      if (session) return session.keep(fullHash, bytes)
      tell({ keep: { fullHash, blob: new Blob([bytes]) } })
      return true
    },
    meet: (fullHashes, isWanted) =>
      new Promise(resolve => {
        const id = `${tab}${count++}`
        const settle = (isSomebody: boolean): void => {
          meeting.delete(id)
          resolve(isSomebody)
        }
        const one = { fullHashes, isWanted, settle }
        meeting.set(id, one)
        setTimeout(settle, ANSWER_MS, false)
        void askMeeting(id, one)
      }),
    outlook: () => {
      if (session) return session.outlook()
      if (performance.now() - lookedAt > OUTLOOK_MS) {
        lookedAt = performance.now()
        void listen()
      }
      return outlook
    },
    refresh: () => session?.refresh(),
    close: () => {
      if (isClosed) return
      // First of all: what others asked this tab for, they ask the next one for.
      isClosed = true
      channel?.close()
      leaving.abort()
      session?.close()
      session = undefined
      release()
      settleAll()
    }
  }
}

/** Undefined where it throws or rejects. */
async function unlessFailed<Value>(run: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await run()
  } catch {
    return undefined
  }
}
