import { expect } from 'chai'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { request as httpRequest } from 'node:http'
import { shopSite } from '../../server/shop-site.mjs'

const FILM = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251))
const PAGE = `<html><head></head><body><video src="../assets/film.mp4"></video>${'pots '.repeat(400)}</body></html>`
const CARRIED = PAGE.replace('<video ', '<video data-mayfly="f0" ')
const MANIFEST = {
  version: 1,
  base: '/shop/',
  files: { 'assets/film.mp4': { fullHash: 'f0', length: 1000, type: 'video/mp4' } }
}

describe('the server of the shop', () => {
  let folder: string
  let server: Server
  let base: string

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mayfly-shop-'))
    const put = (path: string, content: string | Buffer) => {
      mkdirSync(join(folder, path, '..'), { recursive: true })
      writeFileSync(join(folder, path), content)
    }
    put('site/index.html', '<html><head></head>short</html>')
    put('site/product/1.html', PAGE)
    put('carried/index.html', '<html><head></head>short</html>')
    put('carried/product/1.html', CARRIED)
    put('site/assets/film.mp4', FILM)
    put('site/assets/empty.zip', '')
    put('site/mayfly-pages/product/1.json', '["assets/film.png"]')
    put('manifest.json', JSON.stringify(MANIFEST))
    put(`manifest-${'0'.repeat(16)}.json`, '{"files":{}}')
    put('secret.html', 'secret')
    put('library/mayfly.js', 'library')
    put('library/mayfly-worker.js', 'worker')
    const answers = shopSite({ folder, library: join(folder, 'library'), attributes: { 'data-badge': '' } })!
    server = createServer((request, response) => {
      const path = (request.url ?? '/').split('?', 1)[0]!
      if (!answers(request, response, path, ['ws://a.example', 'ws://b.example']))
        response.writeHead(404).end('other')
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.close()
    rmSync(folder, { recursive: true })
  })

  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(base + path, { headers, method, redirect: 'manual' })
  const film = async (range: string, more: Record<string, string> = {}) => {
    const answer = await get('/shop/assets/film.mp4', { Range: range, ...more })
    return {
      status: answer.status,
      range: answer.headers.get('content-range'),
      body: Buffer.from(await answer.arrayBuffer())
    }
  }

  it('serves the same pages twice, and adds the tag to those with full hashes', async () => {
    const plain = await (await get('/plain-shop/product/1')).text()
    expect(plain).to.equal(PAGE)
    const answer = await get('/shop/product/1')
    const page = await answer.text()
    expect(page).to.contain('<video data-mayfly="f0" src="../assets/film.mp4">')
    expect(page).to.contain(
      '<script src="/mayfly.js" data-mediators="ws://a.example ws://b.example" data-manifest="/shop/mayfly-manifest.json" data-worker="/shop/mayfly-worker.js" data-badge=""></script>'
    )
    expect(answer.headers.get('content-security-policy')).to.match(/^default-src 'none'; script-src 'self';/)
    expect(await (await get('/plain-shop/')).text()).to.contain('short')
  })

  it('serves the manifest, and the library beside it and at the top', async () => {
    const manifest = await get('/shop/mayfly-manifest.json')
    expect(manifest.headers.get('content-type')).to.equal('application/json; charset=utf-8')
    expect(await manifest.json()).to.deep.equal(MANIFEST)
    const section = await get(`/shop/manifest-${'0'.repeat(16)}.json`)
    expect(section.headers.get('content-type')).to.equal('application/json; charset=utf-8')
    expect(section.headers.get('cache-control')).to.equal('public, max-age=31536000, immutable')
    expect(await section.json()).to.deep.equal({ files: {} })
    expect((await get(`/shop/manifest-${'1'.repeat(16)}.json`)).status).to.equal(404)
    for (const path of ['/mayfly.js', '/shop/mayfly.js'])
      expect(await (await get(path)).text(), path).to.equal('library')
    expect(await (await get('/shop/mayfly-worker.js')).text()).to.equal('worker')
    expect((await get('/mayfly-objects.js')).status, 'a part that is not there').to.equal(404)
  })

  it('serves the lists of what pages show', async () => {
    const list = await get('/shop/mayfly-pages/product/1.json')
    expect(list.headers.get('content-type')).to.equal('application/json; charset=utf-8')
    expect(await list.text()).to.equal('["assets/film.png"]')
  })

  it('leaves all other paths to others', async () => {
    const paths = [
      '/',
      '/index.html',
      '/shop/secret',
      '/shop/../secret.html',
      '/shop/%2e%2e/secret.html',
      '/shop/product/',
      '/shop/2'
    ]
    for (const path of paths) expect(await (await get(path)).text(), path).to.equal('other')
    expect((await get('/shop')).headers.get('location')).to.equal('/shop/')
  })

  it('serves ranges', async () => {
    expect(await film('bytes=10-19')).to.deep.equal({
      status: 206,
      range: 'bytes 10-19/1000',
      body: FILM.subarray(10, 20)
    })
    expect(await film('bytes=990-')).to.deep.equal({
      status: 206,
      range: 'bytes 990-999/1000',
      body: FILM.subarray(990)
    })
    expect(await film('bytes=-5')).to.deep.equal({
      status: 206,
      range: 'bytes 995-999/1000',
      body: FILM.subarray(995)
    })
    expect(await film('bytes=-5000')).to.deep.equal({ status: 206, range: 'bytes 0-999/1000', body: FILM })
    expect(await film('bytes=900-5000')).to.include({ status: 206, range: 'bytes 900-999/1000' })
    for (const range of ['bytes=1000-', 'bytes=-0'])
      expect(await film(range)).to.include({ status: 416, range: 'bytes */1000' })
    for (const range of ['bytes=1-2,4-5', 'lines=1-2', 'bytes=5-4', 'bytes=-']) {
      expect(await film(range), range).to.deep.equal({ status: 200, range: null, body: FILM })
    }
    expect((await get('/shop/assets/empty.zip', { Range: 'bytes=-5' })).status).to.equal(416)
    expect((await get('/shop/assets/empty.zip')).status).to.equal(200)
  })

  it('gives a range only of the version that the visitor has', async () => {
    const tag = (await get('/shop/assets/film.mp4', {}, 'HEAD')).headers.get('etag')!
    expect(await film('bytes=0-9', { 'If-Range': tag })).to.include({ status: 206 })
    expect(await film('bytes=0-9', { 'If-Range': '"other"' })).to.include({ status: 200 })
  })

  it('says how long to keep what, and 304 to those who have it', async () => {
    for (const [path, cache] of [
      ['/plain-shop/product/1', 'no-cache'],
      ['/plain-shop/assets/film.mp4', 'public, max-age=86400'],
      ['/mayfly.js', 'public, max-age=600']
    ] as const) {
      const answer = await get(path)
      expect(answer.headers.get('cache-control'), path).to.equal(cache)
      const again = await get(path, { 'If-None-Match': `"x", W/${answer.headers.get('etag')}` })
      expect([again.status, await again.text()], path).to.deep.equal([304, ''])
      expect((await get(path, { 'If-None-Match': '"x"' })).status, path).to.equal(200)
    }
  })

  it('compresses pages where the visitor takes that', async () => {
    const packed = await raw('/plain-shop/product/1', { 'accept-encoding': 'br, gzip' })
    expect(packed.headers['content-encoding']).to.equal('gzip')
    expect(gunzipSync(packed.body).toString()).to.equal(PAGE)
    expect(packed.body.length).to.be.lessThan(PAGE.length / 4)
    for (const accepted of [undefined, 'br', 'gzip;q=0']) {
      const whole = await raw(
        '/plain-shop/product/1',
        accepted === undefined ? {} : { 'accept-encoding': accepted }
      )
      expect(whole.headers['content-encoding'], accepted).to.equal(undefined)
      expect(whole.headers.etag).not.to.equal(packed.headers.etag)
      expect(whole.headers.vary).to.equal('Accept-Encoding')
    }
    const short = await raw('/plain-shop/', { 'accept-encoding': 'gzip' })
    expect(short.headers['content-encoding']).to.equal(undefined)
  })

  it('is not there where it is not compiled', () => {
    expect(shopSite({ folder: join(folder, 'nowhere') })).to.equal(undefined)
  })

  /** As it comes over the network. */
  function raw(path: string, headers: Record<string, string>) {
    return new Promise<{ headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
      const request = httpRequest(base + path, { headers }, response => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(parts) }))
      })
      request.on('error', reject).end()
    })
  }
})
