import type { Page } from 'playwright-core'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { crc32, deflateSync } from 'node:zlib'
import { FullHashBuilder, encodeSidecar } from '../../common/src/index.js'
import { nodeHasher } from '../../peer/src/adapters/node-hasher.js'

const BUNDLES = new URL('../../peer/dist/bundle/', import.meta.url)

/**
 * Runs before anything else in a page whose others are to be waited for: what is seen waits 40 ms for somebody near, and on a busy
 * machine nobody is near, nor answers in time.
 */
export const UNHURRIED = `{
  const { now } = performance
  performance.now = () => now.call(performance) / 100
  const { postMessage } = MessagePort.prototype
  MessagePort.prototype.postMessage = function (message, ...more) {
    postMessage.call(this, message > 0 ? 100 * message : message, ...more)
  }
}`

/** Runs before anything else: sets `isShown` when the service worker is told that the page has what it shows first, and a session. */
export const WATCHES_WORKER = `{
  const { postMessage } = ServiceWorker.prototype
  ServiceWorker.prototype.postMessage = function (message, ...more) {
    if (message.mayfly === 'shown') globalThis.isShown = true
    postMessage.call(this, message, ...more)
  }
}`

/** Settles when a page has the worker: whoever is alone has it from the next page on. */
export async function controlled(page: Page): Promise<void> {
  await page.evaluate(async () => void (await navigator.serviceWorker.ready))
  // Whether anybody is there may be known later than the worker is ready.
  await page.waitForFunction(
    () => navigator.serviceWorker.controller !== null || Number(localStorage['mayfly-alone']) > 0
  )
  if (await page.evaluate(() => !navigator.serviceWorker.controller)) await page.reload()
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null)
}

/** A file of a site. */
export interface SiteFile {
  readonly type: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly fullHash: string
}

/** A site with files, pages and the script tag, and how often each file was asked for. */
export class TaggedSite {
  readonly files = new Map<string, SiteFile>()
  readonly asked = new Map<string, number>()
  /** Mayfly's own scripts that were asked for. */
  readonly scripts = new Set<string>()
  readonly pages = new Map<string, string>()
  /** Sent with every page. */
  headers: Record<string, string> = {}
  /** Sent with every file. */
  fileHeaders: Record<string, string> = {}
  /** Files are answered with this status. */
  status = 200
  /** Whether ranges of files are answered, and those that were asked for in their order, as in the header. */
  hasRanges = true
  readonly ranges: string[] = []
  /** Milliseconds before a file is answered; sidecars are at once. */
  delayMs = 0
  /** Answered as `/mayfly-manifest.json`; undefined: there is none. See `nameAll`. */
  manifest: string | Uint8Array | undefined
  /** The manifest is said to have so many bytes more than come. */
  manifestMissing = 0
  manifestType = 'application/json'
  /** How often it was asked for. */
  manifestAsked = 0
  base!: string
  readonly #server: Server

  /** `tls`: it is served by https. */
  constructor(tls?: { readonly cert: string; readonly key: string }) {
    const answer: RequestListener = ({ url = '', headers }, response) => {
      const path = decodeURIComponent(new URL(url, 'http://site').pathname)
      const file = this.files.get(path)
      const page = this.pages.get(path)
      // Below any folder, as each site of a host has its own.
      const [, bundle] = /\/(mayfly[a-z-]*\.js)$/.exec(path) ?? []
      if (bundle !== undefined) {
        this.scripts.add(bundle)
        response.setHeader('content-type', 'text/javascript').end(readFileSync(new URL(bundle, BUNDLES)))
      } else if (page !== undefined) {
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...this.headers }).end(page)
      } else if (file !== undefined) {
        this.asked.set(path, (this.asked.get(path) ?? 0) + 1)
        const delayMs = path.endsWith('.mayfly') ? 0 : this.delayMs
        setTimeout(() => this.#answer(file, headers.range, response), delayMs)
      } else if (path === '/mayfly-manifest.json') {
        this.manifestAsked++
        if (this.manifest === undefined) {
          response.writeHead(404).end()
          return
        }
        const length = this.manifest.length + this.manifestMissing
        response.writeHead(200, { 'content-type': this.manifestType, 'content-length': length })
        response.write(this.manifest)
        // Not before the head has left.
        if (this.manifestMissing > 0) setTimeout(() => response.destroy(), 50)
        else response.end()
        // A browser shows a page of its own in the place of an empty one.
      } else response.writeHead(404).end('There is nothing here.\n')
    }
    this.#server = tls ? createSecureServer(tls, answer) : createServer(answer)
  }

  #answer({ type, bytes }: SiteFile, range: string | undefined, response: ServerResponse): void {
    const headers = {
      'content-type': type,
      'cache-control': 'max-age=600',
      'accept-ranges': 'bytes',
      ...this.fileHeaders
    }
    if (range !== undefined) this.ranges.push(range)
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? []
    if (first === undefined || this.status !== 200 || !this.hasRanges) {
      response.writeHead(this.status, headers).end(bytes)
      return
    }
    const end = last ? Number(last) + 1 : bytes.length
    const contentRange = `bytes ${first}-${end - 1}/${bytes.length}`
    response
      .writeHead(206, { ...headers, 'content-range': contentRange })
      .end(bytes.subarray(Number(first), end))
  }

  async start(): Promise<this> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    this.base = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
    return this
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  /** Adds a file, and its sidecar where it has one. Gives its full hash. */
  async add(path: string, type: string, content: Uint8Array | string, hasSidecar = false): Promise<string> {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : Uint8Array.from(content)
    const builder = new FullHashBuilder(nodeHasher)
    await builder.update(bytes)
    const { fullHash, tree } = await builder.finish()
    this.files.set(path, { type, bytes, fullHash })
    if (hasSidecar) this.files.set(`${path}.mayfly`, { type: '', bytes: encodeSidecar(tree), fullHash: '' })
    return fullHash
  }

  /** Puts all files into the manifest, with their sidecars; `change` replaces some of its fields. */
  nameAll(change: Readonly<Record<string, unknown>> = {}): void {
    const named = [...this.files].filter(([path]) => !path.endsWith('.mayfly'))
    const files = Object.fromEntries(
      named.map(([path, { type, bytes, fullHash }]) => {
        const sidecar = `${path}.mayfly`
        const file = { fullHash, length: bytes.length, type }
        return [path.slice(1), this.files.has(sidecar) ? { ...file, sidecar: sidecar.slice(1) } : file]
      })
    )
    this.manifest = JSON.stringify({ version: 1, base: '/', files, ...change })
  }

  /** How often files whose path begins so were asked for. */
  askedFor(start: string): number {
    return [...this.asked].reduce((sum, [path, count]) => sum + (path.startsWith(start) ? count : 0), 0)
  }
}

/** A PNG of noise that only `seed` decides about, some `bytes` long. */
export function noisePng(seed: number, bytes: number): Uint8Array {
  const width = 100
  const height = Math.max(1, Math.round(bytes / (3 * width)))
  const rows = noise(seed, height * (1 + 3 * width))
  for (let at = 0; at < rows.length; at += 1 + 3 * width) rows[at] = 0
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 0 })),
    chunk('IEND', Buffer.alloc(0))
  ])
}

/** A PNG of one colour, some `bytes` long. */
export function plainPng(colour: readonly number[], bytes: number): Uint8Array {
  const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0])
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk('IHDR', header),
    chunk('noSe', Buffer.from(noise(colour[0] ?? 0, bytes))),
    chunk('IDAT', deflateSync(Uint8Array.from([0, ...colour]))),
    chunk('IEND', Buffer.alloc(0))
  ])
}

/** Bytes that only `seed` decides about. */
export function noise(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed * 2_654_435_761 + 1
  for (let at = 0; at < length; at++) {
    state = Math.imul(state ^ (state >>> 15), 2_246_822_507) + 1
    bytes[at] = state >>> 24
  }
  return bytes
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name), data])
  const framed = Buffer.alloc(body.length + 8)
  framed.writeUInt32BE(data.length, 0)
  framed.set(body, 4)
  framed.writeUInt32BE(crc32(body), body.length + 4)
  return framed
}
