import type { Outlook } from '../core/patience.js'
import { after } from './deadline.js'
import type { Brought, ObjectSession, Wish } from './object-session.js'

/** A tab that does not answer for so long, beyond the patience of a wish, is not waited for. */
const ANSWER_MS = 5_000
/** The tab that has the session says within this that it tries: one that the browser has frozen does not. */
const TRYING_MS = 60
/** A tab that has said nothing for so long, though it was asked, has its session taken over. */
const SILENT_MS = 1_000
/** What another tab has told of whom it can ask is asked for anew after this. */
const OUTLOOK_MS = 500

/** Something to be brought, or others to be looked for: as `ObjectSession` has it. */
interface Question {
  readonly wish?: Wish
  readonly meet?: Parameters<ObjectSession['meet']>
}

/** What was brought, or whether somebody is there. */
type Told = Brought | boolean | undefined

/** What tabs tell each other. `bytes` travel as a Blob, which is not copied for every tab. */
interface TabMessage {
  readonly ask?: Question & { readonly id: string }
  /** Nobody waits for it any more. */
  readonly drop?: string
  readonly trying?: string
  readonly answer?: {
    readonly id: string
    readonly told?: object | boolean | undefined
    readonly blob?: Blob
  }
  readonly keep?: { readonly fullHash: string; readonly blob: Blob }
  /** Another tab has the session from now on. */
  readonly leads?: true
  /** Whom can you ask? */
  readonly looks?: true
  readonly outlook?: Outlook
}

interface Asked {
  readonly question: Question
  readonly dropped: AbortController
  isTried: boolean
  readonly settle: (told?: Told) => void
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

function put(to: ObjectSession, { wish, meet = [[], false] }: Question, signal: AbortSignal): Promise<Told> {
  return wish ? to.bring(wish, signal) : to.meet(...meet)
}

function joinTabs(site: string, open: () => ObjectSession): ObjectSession {
  const name = `mayfly ${site}`
  const tab = `${Math.random()}`
  const waiting = new Map<string, Asked>()
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
  let silentAt = Infinity

  // A channel has no target origin: it is the site's own.
  const tell = (message: TabMessage): void => {
    // oxlint-disable-next-line require-post-message-target-origin
    if (!isClosed) channel?.postMessage(message)
  }
  const ask = (id: string, one: Asked): void => {
    one.isTried = session !== undefined
    if (session) {
      void put(session, one.question, one.dropped.signal).then(one.settle)
      return
    }
    tell({ ask: { ...one.question, id } })
    void after(TRYING_MS).then(() => {
      if (!one.isTried && one.question.wish && waiting.get(id) === one) passBy(one)
    })
  }
  const askAll = (): void => {
    for (const [id, one] of waiting) ask(id, one)
  }
  /** Who has the session is asleep: whoever waits has what the site gives, and the next ones do not wait at all. */
  const passBy = (one: Asked): void => {
    outlook = NOBODY
    one.drop()
    silentAt = Math.min(silentAt, performance.now())
    if (performance.now() - silentAt > SILENT_MS) take(true)
  }
  const answer = ({ ask: asked, drop, keep, looks }: TabMessage, from: ObjectSession): void => {
    if (looks) tell({ outlook: from.outlook() })
    if (drop) serving.get(drop)?.abort()
    if (keep) void keep.blob.arrayBuffer().then(bytes => from.keep(keep.fullHash, new Uint8Array(bytes)))
    if (!asked) return
    const { id } = asked
    const dropped = new AbortController()
    serving.set(id, dropped)
    tell({ trying: id })
    void put(from, asked, dropped.signal).then(told => {
      serving.delete(id)
      const { bytes, ...rest } = Object(told) as Partial<Brought>
      tell({
        answer: bytes ? { id, blob: new Blob([bytes]), told: rest } : { id, told },
        outlook: from.outlook()
      })
    })
  }
  const hear = ({ data }: MessageEvent<TabMessage>): void => {
    const { trying = '', answer: answered, leads } = data
    const one = waiting.get(trying)
    if (one) one.isTried = true
    if (data.outlook) outlook = data.outlook
    if (one || data.outlook || leads) silentAt = Infinity
    if (leads) askAll()
    if (answered) void read(answered)
    if (session) answer(data, session)
  }
  const read = async ({ id, told, blob }: NonNullable<TabMessage['answer']>): Promise<void> => {
    const bytes = blob && new Uint8Array(await blob.arrayBuffer().catch(() => new ArrayBuffer()))
    waiting.get(id)?.settle((bytes ? { ...(told as object), bytes } : told) as Told)
  }
  const lead = (): Promise<void> => {
    session ??= open()
    tell({ leads: true, outlook: session.outlook() })
    askAll()
    return new Promise(resolve => (release = resolve))
  }
  /** Waits for the lock, or takes it from whoever has it; who may hold none has a session of its own. */
  const take = (steal: boolean): void => {
    const alone = (): void => {
      if (!isClosed && !session) void lead()
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
  const begin = (question: Question, ms: number, signal?: AbortSignal): Promise<Told> =>
    new Promise(resolve => {
      const id = `${tab}${count++}`
      const settle = (told?: Told): void => {
        clearTimeout(late)
        waiting.delete(id)
        resolve(told)
      }
      const drop = (): void => {
        one.dropped.abort()
        tell({ drop: id })
        settle()
      }
      const one: Asked = { question, dropped: new AbortController(), isTried: false, settle, drop }
      const late = setTimeout(settle, ms + ANSWER_MS)
      if (signal?.aborted || isClosed) return settle()
      signal?.addEventListener('abort', drop)
      waiting.set(id, one)
      ask(id, one)
    })
  take(false)
  tell({ looks: true })

  return {
    bring: (wish, signal) => begin({ wish }, 6 * wish.patienceMs, signal) as Promise<Brought | undefined>,
    meet: async (...meet) => !!(await begin({ meet }, 0)),
    keep: async (fullHash, bytes) => {
      if (session) return session.keep(fullHash, bytes)
      tell({ keep: { fullHash, blob: new Blob([bytes]) } })
      return true
    },
    outlook: () => {
      if (session) return session.outlook()
      if (performance.now() - lookedAt > OUTLOOK_MS) {
        lookedAt = performance.now()
        tell({ looks: true })
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
      for (const one of waiting.values()) one.settle()
    }
  }
}
