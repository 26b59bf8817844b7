import { Line, type Asked, type Head } from './line.js'

/** How long a page may take to say whether it knows a content: it only has to look it up. */
const ACCEPT_MS = 1_000

/** How often to see whether a page that owes something is still there. */
const ALIVE_EVERY_MS = 2_000

/** Pages asked for one request. */
const MAX_PAGES = 16

/** A page that may hold a session. */
export interface PageClient {
  readonly id: string
  postMessage(message: Asked, transfer: Transferable[]): void
}

/** The pages of this site. */
export interface Pages {
  get(id: string): Promise<PageClient | undefined>
  all(): Promise<readonly PageClient[]>
}

/** What is asked for. */
export interface RelayRequest {
  readonly fullHash: string
  readonly range: string | null
  /** The page that it is for; empty where that is a new one. */
  readonly clientId: string
}

interface OpenLine {
  readonly page: PageClient
  readonly line: Line
  readonly head: Head
}

/**
 * Has a request answered by a page: the one that it is for, else any other that knows the content. When that page
 * goes away meanwhile, another goes on. Undefined where none knows it or all failed.
 */
export async function relay(pages: Pages, request: RelayRequest): Promise<Response | undefined> {
  const opened = await open(pages, request)
  if (opened === undefined) return undefined
  const { status, headers } = opened.head
  const init = { status, headers: headers.map(([name, value]) => [name, value] as [string, string]) }
  if (status === 416) {
    opened.line.close()
    return new Response(null, init)
  }
  return new Response(bodyOf(pages, request, opened), init)
}

async function open(pages: Pages, request: RelayRequest): Promise<OpenLine | undefined> {
  const own = request.clientId === '' ? undefined : await pages.get(request.clientId)
  const taken = own === undefined ? undefined : await ask(own, request)
  if (taken !== undefined) return taken
  const others = (await pages.all()).filter(page => page.id !== own?.id).slice(0, MAX_PAGES)
  const asked = others.map(async page => {
    const line = await ask(page, request)
    if (line === undefined) throw new Error('unknown')
    return line
  })
  const first = await Promise.any(asked).catch(() => undefined)
  for (const other of asked) {
    void other.then(
      line => {
        if (line !== first) line.line.close()
      },
      () => {}
    )
  }
  return first
}

async function ask(page: PageClient, { fullHash, range }: RelayRequest): Promise<OpenLine | undefined> {
  const { port1, port2 } = new MessageChannel()
  const line = new Line(port1)
  page.postMessage({ type: 'mayfly-fetch', fullHash, range }, [port2])
  try {
    const late = new Promise<false>(resolve => setTimeout(resolve, ACCEPT_MS, false))
    if (await Promise.race([line.accepted(), late])) return { page, line, head: await line.head() }
  } catch {
    // The page said that it cannot fetch it.
  }
  line.close()
  return undefined
}

function bodyOf(
  pages: Pages,
  request: RelayRequest,
  opened: OpenLine
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let { line, page } = opened
  const [start, end] = placeOf(opened.head)
  let at = start
  return new ReadableStream(
    {
      pull: async controller => {
        for (;;) {
          const bytes = await pullUnlessGone(line, () => pages.get(page.id))
          if (bytes !== 'gone') {
            at += bytes?.length ?? 0
            if (bytes === undefined) controller.close()
            else controller.enqueue(bytes)
            return
          }
          const rest = { ...request, clientId: '', range: `bytes=${at}-${end}` }
          const next = await open(pages, rest)
          if (next?.head.status !== 206) throw new Error('the page is gone')
          ;({ line, page } = next)
        }
      },
      cancel: () => line.close()
    },
    { highWaterMark: 0 }
  )
}

/** The first and last byte of an answer, as a header says them: the last one is empty where it is not known. */
function placeOf({ headers }: Head): [start: number, end: string] {
  const range = headers.find(([name]) => name.toLowerCase() === 'content-range')?.[1] ?? ''
  const [, first, last = ''] = /^bytes (\d+)-(\d+)/.exec(range) ?? []
  return [Number(first ?? 0), last]
}

/** The next bytes, as long as the page is there: it may wait for them for hours, while it is paused. */
async function pullUnlessGone(
  line: Line,
  page: () => Promise<unknown>
): Promise<Uint8Array<ArrayBuffer> | undefined | 'gone'> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const gone = new Promise<'gone'>((resolve, reject) => {
    const look = (): void => {
      page().then(present => (present === undefined ? resolve('gone') : plan()), reject)
    }
    const plan = (): void => void (timer = setTimeout(look, ALIVE_EVERY_MS))
    plan()
  })
  try {
    return await Promise.race([line.pull(), gone])
  } finally {
    clearTimeout(timer)
  }
}
