import { expect } from 'chai'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { SentBytes, namedBytes } from '../../bench/visit/sent-bytes.mjs'

describe('what a web server sent', () => {
  const sent = new SentBytes()
  let server: Server
  let base: string

  before(async () => {
    server = createServer((request, response) => {
      sent.watch(request, response)
      if (request.url === '/stream.png') Readable.from([Buffer.alloc(700), Buffer.alloc(300)]).pipe(response)
      else if (request.url === '/text?a=b') {
        response.write('näh')
        response.end(new Uint8Array(10))
      } else response.writeHead(304).end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => server.close())

  it('is counted by visitor and path, once, however it is sent', async () => {
    for (const path of ['/stream.png', '/stream.png', '/text?a=b', '/known'])
      await (await fetch(base + path)).arrayBuffer()
    expect(sent.take('10.0.0.1')).to.deep.equal({})
    expect(sent.take('127.0.0.1')).to.deep.equal({ '/stream.png': 2000, '/text': 14 })
    expect(sent.take('127.0.0.1')).to.deep.equal({})
  })

  it('is named by a manifest where it is no page, style, script or data', () => {
    const paths = [
      '/',
      '/2',
      '/a/b.png',
      '/c.woff2',
      '/d.css',
      '/e.js',
      '/f.json',
      '/film.mp4.mayfly',
      '/png'
    ]
    expect(namedBytes(Object.fromEntries(paths.map((path, at) => [path, 10 ** at])))).to.equal(1100)
  })
})
