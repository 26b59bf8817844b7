import { setTimeout as pause } from 'node:timers/promises'
import type { DevToolsEvent, DevToolsFields, DevToolsPipe } from './devtools-pipe.js'
import { VisitLog } from './visit-log.js'

/** A page that is not loaded by then is looked at as it is. */
const LOAD_MS = 30_000

/** Without traffic for so long, a page has what it wants; and at most. */
const QUIET_MS = 1_500
const MAX_QUIET_MS = 12_000

/** Between two steps of scrolling, 2,500 pixels a second; a page of more steps is scrolled faster. */
const STEP_MS = 100
const STEP_PX = 250
const MAX_STEPS = 100

/** Entries of the timeline that are read. */
const MAX_ENTRIES = 5_000

/** Counts connections of a page to other visitors. */
const OBSERVER = `(() => {
  const Native = globalThis.RTCPeerConnection
  if (!Native) return
  const seen = { made: 0, connected: 0 }
  Object.defineProperty(globalThis, 'mayflyCheck', { value: seen })
  globalThis.RTCPeerConnection = class RTCPeerConnection extends Native {
    constructor(...options) {
      super(...options)
      seen.made++
      this.addEventListener('connectionstatechange', () => this.connectionState === 'connected' && seen.connected++)
    }
  }
})()`

const READ = `JSON.stringify({
  entries: performance.getEntriesByName('mayfly').slice(0, ${MAX_ENTRIES}).map(entry => entry.detail),
  loadMs: Math.round(performance.getEntriesByType('navigation')[0]?.loadEventEnd ?? 0),
  connections: globalThis.mayflyCheck,
  hasWorker: (() => { try { return navigator.serviceWorker.controller !== null } catch { return false } })()
})`

/** Links to further pages of the same site, that open here and are no downloads, in their order and each once. */
const LINKS = `JSON.stringify([...new Set([...document.links].slice(0, 2000).filter(link =>
  link.origin === location.origin && link.pathname !== location.pathname && !link.hasAttribute('download') &&
  !/\\.(?!html?$)[a-z\\d]{1,5}$/i.test(link.pathname) && !/log-?out|sign-?out|delete/i.test(link.href)
).map(link => link.origin + link.pathname + link.search))])`

/** Where something came from, as the page's timeline has it. */
export interface TimelineEntry {
  readonly url: string
  readonly source: string
  readonly bytes: number
}

/** What one view of a page has brought. */
export interface PageView {
  readonly url: string
  readonly loadMs: number
  readonly entries: readonly TimelineEntry[]
  /** Connections to other visitors: begun, and open at some time. */
  readonly made: number
  readonly connected: number
  /** Whether a service worker controlled it. */
  readonly hasWorker: boolean
  /** What servers sent meanwhile, by network. */
  readonly answers: VisitLog['answers']
}

/** A visitor of a `HeadlessBrowser`, with one tab. */
export class HeadlessVisitor {
  readonly log = new VisitLog()
  readonly #pipe: DevToolsPipe
  readonly #contextId: string
  readonly #sessions = new Set<string>()
  #pageSession: string | undefined
  #onpage: () => void = () => {}
  #onload: () => void = () => {}
  #activeAt = performance.now()

  constructor(pipe: DevToolsPipe, contextId: string) {
    this.#pipe = pipe
    this.#contextId = contextId
  }

  /** Opens the tab. */
  async open(): Promise<void> {
    const attached = new Promise<void>(resolve => (this.#onpage = resolve))
    await this.#send('Target.createTarget', {
      url: 'about:blank',
      browserContextId: this.#contextId,
      newWindow: true
    })
    await attached
  }

  /** Takes a page or worker of this visitor under its eyes, before it begins. Never rejects. */
  async attach(sessionId: string, type: string): Promise<void> {
    this.#sessions.add(sessionId)
    const say = (method: string, params: DevToolsFields = {}): Promise<unknown> =>
      this.#pipe.send(method, params, { sessionId }).catch(() => undefined)
    const isPage = type === 'page' && this.#pageSession === undefined
    if (isPage) this.#pageSession = sessionId
    const commands = [say('Network.enable'), say('Runtime.enable'), say('Log.enable')]
    if (isPage) {
      commands.push(
        say('Page.enable'),
        say('Page.addScriptToEvaluateOnNewDocument', { source: OBSERVER }),
        // As a visitor who looks at it, on a usual computer.
        say('Emulation.setFocusEmulationEnabled', { enabled: true }),
        say('Emulation.setHardwareConcurrencyOverride', { hardwareConcurrency: 4 })
      )
    }
    commands.push(say('Runtime.runIfWaitingForDebugger'))
    await Promise.all(commands)
    if (isPage) this.#onpage()
  }

  /** Something that happened in the browser, perhaps to this visitor. */
  take({ method, params, sessionId }: DevToolsEvent): void {
    if (sessionId === undefined || !this.#sessions.has(sessionId)) return
    if (method === 'Page.loadEventFired') this.#onload()
    if (method.startsWith('Network.')) this.#activeAt = performance.now()
    this.log.take(method, params, sessionId)
  }

  /** Goes to a page; looks at all of it, and tells what that has brought. */
  async view(address: string): Promise<PageView> {
    const before = this.log.answers.length
    const loaded = new Promise<void>(resolve => (this.#onload = resolve))
    await this.#navigate(address)
    await Promise.race([loaded, pause(LOAD_MS, undefined, { ref: false })])
    await this.quiet()
    await this.#scrollThrough()
    await this.quiet()
    return { ...(await this.#read()), answers: this.log.answers.slice(before) }
  }

  /** The further pages of the site that the one that is there leads to. */
  async links(): Promise<string[]> {
    const links = JSON.parse(String(await this.#evaluate(LINKS))) as unknown[]
    return links.filter(link => typeof link === 'string')
  }

  /** Waits until nothing has come or gone for a while. */
  async quiet(): Promise<void> {
    const deadline = performance.now() + MAX_QUIET_MS
    this.#activeAt = performance.now()
    while (performance.now() < Math.min(this.#activeAt + QUIET_MS, deadline)) await pause(STEP_MS)
  }

  async #navigate(url: string): Promise<void> {
    const { errorText } = await this.#send('Page.navigate', { url }, LOAD_MS)
    if (errorText !== undefined) throw new Error(`${url}: ${JSON.stringify(errorText)}`)
  }

  async #scrollThrough(): Promise<void> {
    const height = Number(await this.#evaluate('document.documentElement.scrollHeight'))
    const step = Math.max(STEP_PX, Math.ceil(height / MAX_STEPS)) || STEP_PX
    for (let y = 0; y < height; y += step) {
      await this.#evaluate(`scrollTo(0, ${y})`)
      await pause(STEP_MS)
    }
  }

  async #read(): Promise<Omit<PageView, 'answers'>> {
    const url = String(await this.#evaluate('location.href'))
    const read = JSON.parse(String(await this.#evaluate(READ))) as {
      readonly entries: readonly (Partial<TimelineEntry> | null)[]
      readonly loadMs: number
      readonly connections?: { readonly made: number; readonly connected: number }
      readonly hasWorker: boolean
    }
    const entries = read.entries.map(entry => ({
      url: String(entry?.url),
      source: String(entry?.source),
      bytes: Number(entry?.bytes) || 0
    }))
    const { made, connected } = read.connections ?? { made: 0, connected: 0 }
    return { url, loadMs: read.loadMs, entries, made, connected, hasWorker: read.hasWorker }
  }

  async #evaluate(expression: string): Promise<unknown> {
    const { result } = await this.#send('Runtime.evaluate', { expression, returnByValue: true })
    return (result as { readonly value?: unknown } | undefined)?.value
  }

  #send(method: string, params: DevToolsFields = {}, ms?: number): Promise<DevToolsFields> {
    const sessionId = method.startsWith('Target.') ? undefined : this.#pageSession
    return this.#pipe.send(method, params, { sessionId, ...(ms !== undefined && { ms }) })
  }
}
