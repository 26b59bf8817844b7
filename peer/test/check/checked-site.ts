import { SUBPROTOCOL } from '@mayfly/common'
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { checkSite, type CheckOptions } from '../../src/check/check-site.js'
import type { Findings } from '../../src/check/finding.js'
import { bytesOf, Folder } from '../manifest/folder.js'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** What the page asks for. */
const BODY = '<img src="a%20b.png"><video src="film.mp4"></video>'

/** What the loader has in it besides the hashes of its parts. */
const LOADER = ' trustedTypes.createPolicy, script.nonce'

/** What a page has besides the attributes of its tag. */
interface PageParts {
  readonly head?: string
  readonly body?: string
  readonly html?: (tag: string) => string
  /** Between its tags. */
  readonly inline?: string
}

/** A site of a folder, whose answers can be replaced by path. */
export class CheckedSite {
  readonly answers = new Map<string, Answer>()
  /** Headers of every answer. */
  readonly headers: Record<string, string> = {}
  readonly mediator = new WebSocketServer({ noServer: true, handleProtocols: () => SUBPROTOCOL })
  readonly folder: Folder
  readonly #server: Server
  readonly #bundles: Folder

  private constructor(folder: Folder, bundles: Folder) {
    this.folder = folder
    this.#bundles = bundles
    this.#server = createServer((request, response) => void this.#answer(request, response))
    this.#server.on('upgrade', (request, socket, head) => {
      if (request.headers.origin !== this.url) socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
      else this.mediator.handleUpgrade(request, socket, head, () => {})
    })
  }

  /** A site with an image, a film, scripts, a manifest, and a page that is as it is meant to be. */
  static async start(): Promise<CheckedSite> {
    const scripts = scriptsOf(LOADER)
    const folder = await Folder.of({
      'a b.png': bytesOf(1_000),
      'film.mp4': bytesOf(300_000),
      ...scripts
    })
    await folder.manifest()
    const site = new CheckedSite(folder, await Folder.of(scripts))
    await new Promise<void>(resolve => site.#server.listen(0, '127.0.0.1', resolve))
    await site.page()
    return site
  }

  /** Writes the page: `more` attributes of the tag, of which undefined takes one away. */
  async page(
    more: Readonly<Record<string, string | undefined>> = {},
    { head = '', body = BODY, html = tag => `<head>${head}${tag}</head>${body}`, inline = '' }: PageParts = {}
  ): Promise<void> {
    const attributes = {
      src: '/mayfly.js',
      'data-mediators': this.url.replace('http', 'ws'),
      'data-worker': '/mayfly-worker.js',
      'data-manifest': '/mayfly-manifest.json',
      ...more
    }
    const text = Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}="${value}"`]
    )
    const tag = `<script ${text.join(' ')}>${inline}</script>`
    await this.folder.write({ 'index.html': html(tag) })
  }

  /** Replaces scripts of those that belong to the command. */
  bundle(scripts: Readonly<Record<string, string>>): Promise<void> {
    return this.#bundles.write(scripts)
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** What is found on its page. */
  async found(path = '/index.html', options: Partial<CheckOptions> = {}): Promise<Lines> {
    const findings = collected()
    await checkSite(new URL(path, this.url), { files: 20, bundles: this.#bundles.path, ...options }, findings)
    return findings.lines
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await this.folder.remove()
    await this.#bundles.remove()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent((request.url ?? '').slice(1))
    for (const [name, value] of Object.entries(this.headers)) response.setHeader(name, value)
    const answer = this.answers.get(path)
    if (answer !== undefined) return answer(request, response)
    const content = await this.folder.read(path).catch(() => undefined)
    if (content === undefined) return void response.writeHead(404).end()
    const ending = path.split('.').at(-1) ?? ''
    const types: Record<string, string> = {
      js: 'text/javascript',
      png: 'image/png',
      mp4: 'video/mp4',
      html: 'text/html',
      json: 'application/json',
      css: 'text/css'
    }
    response.setHeader('Content-Type', types[ending] ?? 'application/octet-stream')
    response.setHeader('Accept-Ranges', 'bytes')
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    if (start === undefined) return void response.end(content)
    response.setHeader('Content-Range', `bytes ${start}-${end}/${content.length}`)
    response.writeHead(206).end(content.subarray(Number(start), Number(end) + 1))
  }
}

/** Takes what is found, a line each. */
export function collected(): Findings & { lines: Lines } {
  const lines: Lines = { fine: [], note: [], problem: [] }
  return {
    lines,
    fine: text => void lines.fine.push(text),
    note: text => void lines.note.push(text),
    problem: text => {
      lines.problem.push(text)
      return undefined
    }
  }
}

export interface Lines {
  readonly fine: string[]
  readonly note: string[]
  readonly problem: string[]
}

/** Stand-ins for the scripts of the tag, each of which knows what its parts hash to. */
export function scriptsOf(ending = ''): Record<string, string> {
  const parts: Record<string, string> = {
    peers: '// peers',
    uploads: '// uploads',
    streams: '// streams',
    client: '// client, with a scope: of its own',
    badge: '// badge',
    library: '// library'
  }
  const objects = `// objects: ${hashes(parts, ['peers', 'uploads', 'streams'])}`
  const requests = `// requests: ${hashes(parts, ['library'])}`
  const names = ['objects', 'client', 'requests', 'badge']
  const loader = `// loader: ${hashes({ ...parts, objects, requests }, names)}${ending}`
  const more = { worker: '// worker', relay: '// relay' }
  const bundles = Object.entries({ ...parts, objects, requests, ...more })
  return Object.fromEntries([
    ['mayfly.js', loader],
    ...bundles.map(([name, text]) => [`mayfly-${name}.js`, text])
  ])
}

function hashes(texts: Readonly<Record<string, string>>, names: readonly string[]): string {
  const named = names.map(name => {
    const hash = createHash('sha256')
      .update(texts[name] ?? '')
      .digest('base64')
    return `${name}:"${hash.replace('=', '')}"`
  })
  return `{${named.join(',')}}`
}
