import type { Brought, ObjectSession, ObjectSource, Wish } from './object-session.js'

const NAME = 'mayfly'
/** A tab that does not answer for so long, beyond the patience of a wish, is not waited for. */
const ANSWER_MS = 5_000

/** What tabs tell each other. `bytes` travel as a Blob, which is not copied for every tab. */
interface TabMessage {
  readonly wish?: Wish & { readonly id: string }
  readonly answer?: { readonly id: string; readonly blob?: Blob; readonly source?: ObjectSource }
  readonly keep?: { readonly fullHash: string; readonly blob: Blob }
  /** Another tab has the session from now on. */
  readonly leads?: true
}

/**
 * One session for all tabs of a site: the tab that holds a lock of the site has it, the others ask that tab. When it closes,
 * the browser gives the lock to another, and what was asked for is asked for again there.
 */
export function shareAmongTabs(open: () => ObjectSession): ObjectSession {
  const { locks } = navigator
  if (!(locks as LockManager | undefined) || !('BroadcastChannel' in globalThis)) return open()
  const channel = new BroadcastChannel(NAME)
  const tab = crypto.randomUUID()
  const waiting = new Map<string, { wish: Wish; settle(brought?: Brought): void }>()
  const leaving = new AbortController()
  let count = 0
  let isClosed = false
  let session: ObjectSession | undefined
  let release: () => void = () => {}

  // A channel has no target origin: it is the site's own.
  const tell = (message: TabMessage): void => {
    // oxlint-disable-next-line require-post-message-target-origin
    if (!isClosed) channel.postMessage(message)
  }
  const ask = (id: string, wish: Wish): void => {
    if (session) void session.bring(wish).then(brought => waiting.get(id)?.settle(brought))
    else tell({ wish: { ...wish, id } })
  }
  channel.onmessage = ({ data }: MessageEvent<TabMessage>) => {
    const { wish, answer, keep, leads } = data
    if (leads) for (const [id, one] of waiting) ask(id, one.wish)
    if (answer && waiting.has(answer.id)) void take(answer)
    if (session && keep)
      void keep.blob.arrayBuffer().then(bytes => session?.keep(keep.fullHash, new Uint8Array(bytes)))
    if (session && wish)
      void session.bring(wish).then(brought => {
        const { id } = wish
        tell({ answer: brought ? { id, blob: new Blob([brought.bytes]), source: brought.source } : { id } })
      })
  }
  const take = async ({ id, blob, source = 'origin' }: NonNullable<TabMessage['answer']>): Promise<void> => {
    const bytes = blob && new Uint8Array(await blob.arrayBuffer().catch(() => new ArrayBuffer()))
    waiting.get(id)?.settle(bytes && { bytes, source })
  }
  const lead = (): Promise<void> => {
    session = open()
    tell({ leads: true })
    for (const [id, one] of waiting) ask(id, one.wish)
    return new Promise(resolve => (release = resolve))
  }
  const close = (): void => {
    // First of all: what others asked this tab for, they ask the next one for.
    isClosed = true
    channel.close()
    leaving.abort()
    session?.close()
    session = undefined
    release()
    for (const one of waiting.values()) one.settle()
  }
  addEventListener('pagehide', ({ persisted }) => {
    // Otherwise peers would find out by silence, some ten seconds later.
    if (!persisted) close()
  })
  locks.request(NAME, { signal: leaving.signal }, lead).catch(() => {})

  return {
    bring: wish =>
      new Promise(resolve => {
        const id = `${tab}${count++}`
        const settle = (brought?: Brought): void => {
          clearTimeout(late)
          waiting.delete(id)
          resolve(brought)
        }
        const late = setTimeout(settle, 6 * wish.patienceMs + ANSWER_MS)
        waiting.set(id, { wish, settle })
        ask(id, wish)
      }),
    keep: async (fullHash, bytes) => {
      if (session) return session.keep(fullHash, bytes)
      tell({ keep: { fullHash, blob: new Blob([bytes]) } })
      return true
    },
    refresh: () => session?.refresh(),
    close
  }
}
