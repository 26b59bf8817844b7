import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { crc32, deflateSync } from 'node:zlib'
import { FullHashBuilder, encodeSidecar } from '../../common/src/index.js'
import { nodeHasher } from '../../peer/src/adapters/node-hasher.js'

const BUNDLES = new URL('../../peer/dist/bundle/', import.meta.url)

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
  readonly pages = new Map<string, string>()
  /** Sent with every page. */
  headers: Record<string, string> = {}
  /** Files are answered with this status. */
  status = 200
  /** Whether ranges of files are answered, and those that were asked for in their order, as in the header. */
  hasRanges = true
  readonly ranges: string[] = []
  /** Milliseconds before a file is answered. */
  delayMs = 0
  base!: string
  readonly #server: Server

  constructor() {
    this.#server = createServer(({ url = '', headers }, response) => {
      const path = new URL(url, 'http://site').pathname
      const file = this.files.get(path)
      const page = this.pages.get(path)
      if (/^\/mayfly[a-z-]*\.js$/.test(path)) {
        response.setHeader('content-type', 'text/javascript').end(readFileSync(new URL(`.${path}`, BUNDLES)))
      } else if (page !== undefined) {
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...this.headers }).end(page)
      } else if (file !== undefined) {
        this.asked.set(path, (this.asked.get(path) ?? 0) + 1)
        const fields = { 'content-type': file.type, 'cache-control': 'max-age=600' }
        const { length } = file.bytes
        if (headers.range !== undefined) this.ranges.push(headers.range)
        const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
        const answer = (): void => {
          if (this.hasRanges && from !== undefined && to !== undefined) {
            const range = { 'content-range': `bytes ${from}-${to}/${length}` }
            response
              .writeHead(206, { ...fields, ...range })
              .end(file.bytes.subarray(Number(from), Number(to) + 1))
          } else response.writeHead(this.status, fields).end(file.bytes)
        }
        setTimeout(answer, this.delayMs)
      } else response.writeHead(404).end()
    })
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
