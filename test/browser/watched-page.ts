import type { BrowserContext, Page } from 'playwright-core'
import { inflateSync } from 'node:zlib'

/** Runs before anything else, in every frame: counts connections to others, and those that came to be. */
const COUNTS = `{
  globalThis.__name = value => value
  globalThis.connections = { begun: 0, open: 0 }
  const Native = globalThis.RTCPeerConnection
  if (Native) globalThis.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args)
      globalThis.connections.begun++
      this.addEventListener('connectionstatechange', () => {
        if (this.connectionState === 'connected') globalThis.connections.open++
      })
    }
  }
}`
/** A page has this width, and no picture of a test is narrower than half of it. */
const WIDTH = 700

/** A page as it is seen from outside: by the browser, and on the screen. */
export class WatchedPage {
  readonly page: Page
  /** What was said on its console, by it and by the browser; and what was thrown in it. */
  readonly lines: string[] = []
  /** Addresses of its WebSockets. */
  readonly sockets: string[] = []
  /** By path, when it came: milliseconds of the clock. */
  readonly came = new Map<string, number>()
  #askedAt = 0

  private constructor(page: Page) {
    this.page = page
  }

  static async open(context: BrowserContext): Promise<WatchedPage> {
    await context.addInitScript({ content: COUNTS })
    const page = await context.newPage()
    await page.setViewportSize({ width: WIDTH, height: 500 })
    await page.bringToFront()
    const watched = new WatchedPage(page)
    page.on('console', message => {
      if (/^(warning|error)$/.test(message.type())) watched.lines.push(message.text())
    })
    page.on('pageerror', error => watched.lines.push(`${error.name}: ${error.message}`))
    page.on('websocket', socket => watched.sockets.push(socket.url()))
    page.on('requestfinished', request => {
      const { startTime, responseEnd } = request.timing()
      const at = responseEnd < 0 ? Date.now() : startTime + responseEnd
      if (request.isNavigationRequest()) watched.#askedAt ||= startTime
      watched.came.set(new URL(request.url()).pathname, at)
    })
    return watched
  }

  /** Opens an address and jumps to its end. Milliseconds until all of these paths have come. */
  async jump(address: string, paths: readonly string[]): Promise<number> {
    await this.page.goto(address)
    await this.scroll(1e5)
    while (!paths.every(path => this.came.has(path)) || !this.#askedAt) await this.page.waitForTimeout(5)
    return Math.max(...paths.map(path => this.came.get(path) ?? 0)) - this.#askedAt
  }

  async scroll(by: number): Promise<void> {
    // On what may be a frame.
    await this.page.mouse.move(WIDTH - 30, 250)
    await this.page.mouse.wheel(0, by)
  }

  /** Scrolls by such steps until all of these paths have come. */
  async scrollUntil(paths: readonly string[], step: number): Promise<void> {
    while (!paths.every(path => this.came.has(path))) {
      await this.scroll(step)
      await this.page.waitForTimeout(30)
    }
  }

  /** What a frame shows is all on the screen. */
  async unfold(): Promise<void> {
    const of = this.page.frames().at(-1)
    const height = await of?.evaluate(() => document.documentElement.scrollHeight)
    await this.page.evaluate(
      pixels => document.querySelector('iframe')?.setAttribute('height', pixels),
      `${height}`
    )
  }

  /** Of all frames: connections to others that were begun, and that came to be. */
  async connections(): Promise<{ begun: number; open: number }> {
    const counts = { begun: 0, open: 0 }
    for (const frame of this.page.frames()) {
      const { begun, open } = await frame.evaluate(
        () => (globalThis as unknown as { connections: typeof counts }).connections
      )
      counts.begun += begun
      counts.open += open
    }
    return counts
  }

  /** Colours down the middle of the page, on the screen, each once: `r,g,b`. */
  async colours(): Promise<Set<string>> {
    const height = await this.page.evaluate(() => document.documentElement.scrollHeight)
    const png = await this.page.screenshot({
      fullPage: true,
      clip: { x: WIDTH / 4, y: 0, width: 1, height },
      // Nothing is put into the page.
      caret: 'initial'
    })
    return new Set(columnOf(png))
  }
}

/** The pixels of a PNG that is one pixel wide. */
function columnOf(png: Buffer): string[] {
  const data: Buffer[] = []
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)))
  const rows = inflateSync(Buffer.concat(data))
  // With or without transparency.
  const size = png[25] === 6 ? 4 : 3
  const pixels: string[] = []
  let above = new Uint8Array(size)
  for (let at = 0; at < rows.length; at += 1 + size) {
    // Where there is nothing to the left, four filters are two.
    const filter = rows[at] ?? 0
    const pixel = rows
      .subarray(at + 1, at + 1 + size)
      .map((byte, i) => byte + (filter < 2 ? 0 : (above[i] ?? 0) >> (filter === 3 ? 1 : 0)))
    pixels.push(pixel.subarray(0, 3).join())
    above = Uint8Array.from(pixel)
  }
  return pixels
}
