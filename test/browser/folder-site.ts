import { readFileSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, resolve, sep } from 'node:path'
import { travelling } from '../../peer/src/manifest/file-types.js'

const PLAIN_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.json': 'application/json'
}

/** Nothing of other sites, so that a test asks none. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' blob: data:",
  "connect-src 'self' ws:"
].join('; ')

/** A web server for a folder of static files, as any other, that counts what it was asked for. */
export class FolderSite {
  /** Bytes that were asked for, by path without the first `/`. */
  readonly sent = new Map<string, number>()
  /** Put into the script tag of every page: what is no matter of a slow computer's speed. */
  patienceMs: number | undefined
  /** More attributes of the script tag of every page. */
  attributes = ''
  base!: string
  readonly #server: Server

  /** `policy`: more of the Content-Security-Policy of its pages. */
  constructor(folder: string, policy = '') {
    const root = resolve(folder)
    this.#server = createServer(({ url = '' }, response) => {
      const path = decodeURIComponent(new URL(url, 'http://site').pathname)
      const place = join(root, path.endsWith('/') ? `${path}index.html` : path)
      const size = place.startsWith(root + sep) ? statSync(place, { throwIfNoEntry: false })?.size : undefined
      if (size === undefined) {
        response.writeHead(404).end('There is nothing here.\n')
        return
      }
      const name = place
        .slice(root.length + 1)
        .split(sep)
        .join('/')
      this.sent.set(name, (this.sent.get(name) ?? 0) + size)
      const how = travelling([place], { scripts: true, styles: true, types: {} })(place)
      const type = PLAIN_TYPES[extname(place)] ?? ('type' in how ? how.type : undefined)
      response.writeHead(200, {
        'content-type': type ?? 'application/octet-stream',
        'cache-control': 'no-cache',
        'content-security-policy': POLICY + policy
      })
      response.end(
        extname(place) === '.html' ? this.#patient(readFileSync(place, 'utf8')) : readFileSync(place)
      )
    })
  }

  #patient(page: string): string {
    const html = page.replace(' data-mediators=', ` ${this.attributes}$&`)
    if (this.patienceMs === undefined) return html
    return html
      .replace(' data-mediators=', ` data-origin-after-ms="${this.patienceMs}"$&`)
      .replace(/(?<=data-worker="[^"?]*)(?=")/, `?acknowledge=${this.patienceMs}`)
  }

  async start(): Promise<this> {
    await new Promise<void>(listening => this.#server.listen(0, '127.0.0.1', listening))
    this.base = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
    return this
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
