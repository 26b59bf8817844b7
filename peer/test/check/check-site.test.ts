import { SUBPROTOCOL } from '@mayfly/common'
import { expect } from 'chai'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { WebSocketServer } from 'ws'
import { checkSite } from '../../src/check/check-site.js'
import { bytesOf, Folder } from '../manifest/folder.js'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A site of a folder, whose answers can be replaced by path. */
class Site {
  readonly answers = new Map<string, Answer>()
  /** Headers of every answer. */
  readonly headers: Record<string, string> = {}
  readonly mediator = new WebSocketServer({ noServer: true, handleProtocols: () => SUBPROTOCOL })
  readonly #server: Server
  readonly #folder: Folder

  private constructor(folder: Folder) {
    this.#folder = folder
    this.#server = createServer((request, response) => void this.#answer(request, response))
    this.#server.on('upgrade', (request, socket, head) => {
      if (request.headers.origin !== this.url) socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
      else this.mediator.handleUpgrade(request, socket, head, () => {})
    })
  }

  static async of(folder: Folder): Promise<Site> {
    const site = new Site(folder)
    await new Promise<void>(resolve => site.#server.listen(0, '127.0.0.1', resolve))
    return site
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** What is found on its page, a line each. */
  async found(
    path = '/index.html',
    files = 20
  ): Promise<{ fine: string[]; note: string[]; problem: string[] }> {
    const lines = { fine: [] as string[], note: [] as string[], problem: [] as string[] }
    await checkSite(new URL(path, this.url), { files }, {
      fine: text => void lines.fine.push(text),
      note: text => void lines.note.push(text),
      problem: text => {
        lines.problem.push(text)
        return undefined
      }
    }) // prettier-ignore
    return lines
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent((request.url ?? '').slice(1))
    for (const [name, value] of Object.entries(this.headers)) response.setHeader(name, value)
    const answer = this.answers.get(path)
    if (answer !== undefined) return answer(request, response)
    const content = await this.#folder.read(path).catch(() => undefined)
    if (content === undefined) return void response.writeHead(404).end()
    const ending = path.split('.').at(-1) ?? ''
    const types: Record<string, string> = {
      js: 'text/javascript',
      png: 'image/png',
      mp4: 'video/mp4',
      html: 'text/html'
    }
    response.setHeader('Content-Type', types[ending] ?? 'application/octet-stream')
    response.setHeader('Accept-Ranges', 'bytes')
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    if (start === undefined) return void response.end(content)
    response.setHeader('Content-Range', `bytes ${start}-${end}/${content.length}`)
    response.writeHead(206).end(content.subarray(Number(start), Number(end) + 1))
  }
}

describe('the check of a site', () => {
  let folder: Folder
  let site: Site
  beforeEach(async () => {
    folder = await Folder.of({ 'a b.png': bytesOf(1_000), 'film.mp4': bytesOf(300_000) })
    await folder.manifest()
    site = await Site.of(folder)
    await page()
  })
  afterEach(async () => {
    site.close()
    await folder.remove()
  })

  /** A page whose tag has these attributes. */
  async function page(more: Readonly<Record<string, string>> = {}, head = ''): Promise<void> {
    const attributes = {
      src: '/mayfly.js',
      'data-mediators': site.url.replace('http', 'ws'),
      'data-worker': '/mayfly-worker.js',
      ...more
    }
    const text = Object.entries(attributes).map(([name, value]) => `${name}="${value}"`)
    await folder.write({
      'index.html': `<head>${head}<script ${text.join(' ')}></script>`,
      'mayfly.js': '1',
      'mayfly-worker.js': '1'
    })
  }

  it('finds nothing in the way of a good one', async () => {
    const { fine, note, problem } = await site.found()
    expect(problem).to.deep.equal([])
    expect(note).to.deep.equal([])
    expect(fine.join('\n')).to.match(/the page.*\n.*the script.*\n.*the mediator.*\n.*the service worker.*\n/)
    expect(fine).to.include.members([
      '"a b.png": 1000 bytes, as the manifest says',
      '"film.mp4": ranges are answered',
      '"film.mp4.mayfly": the sidecar fits'
    ])
  })

  it('finds what is missing: the page, the tag, the script, the manifest, a file, a sidecar', async () => {
    expect((await site.found('/none.html')).problem).to.deep.equal(['the page: the site answers 404'])
    site.answers.set('plain.html', (_, response) => response.end('<p>'))
    expect((await site.found('/plain.html')).problem)
      .to.have.lengthOf(1)
      .and.match(/data-mediators/)
    await page({ src: '/none.js', 'data-manifest': '/none.json' })
    expect((await site.found()).problem.join()).to.match(
      /the script: the site answers 404.*the manifest: the site answers 404/
    )
    await page()
    for (const path of ['a b.png', 'film.mp4.mayfly'])
      site.answers.set(path, (_, response) => response.writeHead(404).end())
    expect((await site.found()).problem).to.have.members([
      '"a b.png": the site answers 404',
      '"film.mp4.mayfly": the site answers 404; it belongs beside "film.mp4"'
    ])
  })

  it('finds a stale manifest, whether the file is longer, shorter or another', async () => {
    for (const [content, word] of [
      [bytesOf(1_001), 'longer'],
      [bytesOf(999), 'shorter, 999 bytes'],
      [bytesOf(1_000, 2), 'another']
    ] as const) {
      await folder.write({ 'a b.png': content })
      expect((await site.found()).problem).to.deep.equal([
        `"a b.png": what the site has is ${word}: the manifest is stale, \`mayfly manifest\` makes a new one`
      ])
    }
  })

  it('finds a manifest that is malformed, or switches everything off', async () => {
    site.answers.set('mayfly-manifest.json', (_, response) => response.end('<!doctype html>'))
    expect((await site.found()).problem.join()).to.match(/^the manifest: it is malformed/)
    site.answers.clear()
    await folder.manifest({ enabled: false, switchesOnly: true })
    expect((await site.found()).problem).to.deep.equal([
      'the manifest: everything is switched off by the kill switch'
    ])
  })

  it('finds ranges that are not answered, are encoded, or are of another length', async () => {
    const whole = await folder.read('film.mp4')
    const said = async (answer: Answer): Promise<string> => {
      site.answers.set('film.mp4', answer)
      return (await site.found()).problem.join()
    }
    expect(await said((_, response) => response.end(whole))).to.match(
      /ranges are not answered \(200, no Accept-Ranges\)/
    )
    const encoded: Answer = (_, response) =>
      response.setHeader('Content-Encoding', 'gzip').end(gzipSync(whole))
    expect(await said(encoded)).to.match(/^"film.mp4": Content-Encoding gzip where a range was asked for/)
    const wrong: Answer = (request, response) =>
      request.headers.range === undefined
        ? response.end(whole)
        : response.writeHead(206, { 'Content-Range': 'bytes 0-1023/5' }).end(whole.subarray(0, 1_024))
    expect(await said(wrong)).to.match(/Content-Range "bytes 0-1023\/5" instead of bytes 0-1023\/300000/)
  })

  it('finds what the policies of the page forbid, in a header and in the page', async () => {
    site.headers['Content-Security-Policy'] = "default-src 'self'; connect-src 'none'"
    await page({}, '<meta http-equiv="Content-Security-Policy" content="script-src \'none\'">')
    const problem = (await site.found()).problem.join('\n')
    for (const directive of ['script-src', 'worker-src', 'connect-src', 'img-src', 'media-src'])
      expect(problem).to.contain(`CSP: ${directive}`)
    expect(problem).to.match(/connect-src does not allow ws:/)
    site.headers['Content-Security-Policy'] =
      `default-src 'self'; img-src 'self' blob:; media-src blob:; connect-src 'self' ${site.url.replace('http', 'ws')}`
    await page()
    expect((await site.found()).problem).to.deep.equal([])
  })

  it('finds a mediator that is not there, or is for others', async () => {
    await page({ 'data-mediators': 'ws://127.0.0.1:1 http://x' })
    expect((await site.found()).problem.join()).to.match(
      /ws:\/\/127.0.0.1:1: .*ECONNREFUSED.*,not a mediator's address: http:\/\/x/
    )
    const other = await Site.of(folder)
    await page({ 'data-mediators': other.url.replace('http', 'ws') })
    expect((await site.found()).problem.join()).to.match(/403/)
    other.close()
  })

  it('finds a service worker that may not control the page, and says which header it lacks', async () => {
    await page({ 'data-worker': '/js/w.js' })
    const worker = { 'Content-Type': 'text/javascript' }
    site.answers.set('js/w.js', (_, response) => response.writeHead(200, worker).end())
    expect((await site.found()).problem)
      .to.have.lengthOf(1)
      .and.match(/\/js\/ only, .*Service-Worker-Allowed: \//)
    site.answers.set('js/w.js', (_, response) =>
      response.writeHead(200, { ...worker, 'Service-Worker-Allowed': '/' }).end()
    )
    expect((await site.found()).problem).to.deep.equal([])
  })

  it('finds what a site of files elsewhere does not share', async () => {
    const cdn = await Site.of(folder)
    const manifest = `${cdn.url}/mayfly-manifest.json`
    await page({ 'data-manifest': manifest })
    const problem = (await site.found()).problem.join('\n')
    expect(
      problem.match(/CORS: .* has to send Access-Control-Allow-Origin: http:\/\/127.0.0.1/g)
    ).to.have.lengthOf(4)
    expect(problem).to.contain('Access-Control-Expose-Headers: Content-Range')
    Object.assign(cdn.headers, {
      'Access-Control-Allow-Origin': site.url,
      'Access-Control-Expose-Headers': 'Content-Range'
    })
    expect((await site.found()).problem).to.deep.equal([])
    cdn.close()
  })
})
