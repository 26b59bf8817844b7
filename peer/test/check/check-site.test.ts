import { expect } from 'chai'
import { gzipSync } from 'node:zlib'
import { bytesOf } from '../manifest/folder.js'
import { CheckedSite, type Answer } from './checked-site.js'

describe('the check of a site', () => {
  let site: CheckedSite
  beforeEach(async () => {
    site = await CheckedSite.start()
  })
  afterEach(() => site.close())

  it('finds nothing in the way of a good one', async () => {
    const { fine, note, problem } = await site.found()
    expect(problem).to.deep.equal([])
    expect(note).to.deep.equal([])
    expect(fine.join('\n')).to.match(
      /^the page.*the script.*its parts.*the mediator.*the service worker.*the page names 2 files/s
    )
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
    await site.page({ src: '/none.js', 'data-manifest': '/none.json' })
    expect((await site.found()).problem.join()).to.match(
      /the script: the site answers 404.*the manifest: the site answers 404/
    )
    await site.page()
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
      await site.folder.write({ 'a b.png': content })
      expect((await site.found()).problem).to.deep.equal([
        `"a b.png": what the site has is ${word}: the manifest is stale, \`mayfly manifest\` makes a new one`
      ])
    }
  })

  it('finds a manifest that is malformed, or switches everything off', async () => {
    site.answers.set('mayfly-manifest.json', (_, response) => response.end('<!doctype html>'))
    expect((await site.found()).problem.join()).to.match(/the manifest: it is malformed/)
    site.answers.clear()
    await site.folder.manifest({ enabled: false, switchesOnly: true })
    expect((await site.found()).problem).to.deep.equal([
      'the manifest: everything is switched off by the kill switch'
    ])
  })

  it('finds ranges that are not answered, are encoded, or are of another length', async () => {
    const whole = await site.folder.read('film.mp4')
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
    await site.page({}, { head: '<meta http-equiv="Content-Security-Policy" content="script-src \'none\'">' })
    const { problem: problems, note } = await site.found()
    const problem = problems.join('\n')
    expect(note.join()).to.match(/CSP: img-src and media-src without blob: matters only to .*mayfly.load/)
    for (const directive of ['script-src', 'worker-src', 'connect-src'])
      expect(problem).to.contain(`CSP: ${directive}`)
    expect(problem).to.match(/connect-src does not allow ws:/)
    site.headers['Content-Security-Policy'] =
      `default-src 'self'; img-src 'self' blob:; media-src blob:; connect-src 'self' ${site.url.replace('http', 'ws')}`
    await site.page()
    expect((await site.found()).problem).to.deep.equal([])
  })

  it('finds a mediator that is not there, or is for others', async () => {
    await site.page({ 'data-mediators': 'ws://127.0.0.1:1 http://x' })
    expect((await site.found()).problem.join()).to.match(
      /ws:\/\/127.0.0.1:1: .*ECONNREFUSED.*,not a mediator's address: http:\/\/x/
    )
    const other = await CheckedSite.start()
    await site.page({ 'data-mediators': other.url.replace('http', 'ws') })
    expect((await site.found()).problem.join()).to.match(/403/)
    await other.close()
  })

  it('finds a service worker that may not control the page, and says which header it lacks', async () => {
    await site.page({ 'data-worker': '/js/w.js' })
    const worker = { 'Content-Type': 'text/javascript' }
    const code = await site.folder.text('mayfly-worker.js')
    site.answers.set('js/w.js', (_, response) => response.writeHead(200, worker).end(code))
    expect((await site.found()).problem)
      .to.have.lengthOf(1)
      .and.match(/\/js\/ only, .*Service-Worker-Allowed: \//)
    site.answers.set('js/w.js', (_, response) =>
      response.writeHead(200, { ...worker, 'Service-Worker-Allowed': '/' }).end(code)
    )
    expect((await site.found()).problem).to.deep.equal([])
  })

  it('finds what a site of files elsewhere does not share', async () => {
    const cdn = await CheckedSite.start()
    const manifest = `${cdn.url}/mayfly-manifest.json`
    await site.page({ 'data-manifest': manifest }, { body: `<img src="${cdn.url}/a%20b.png">` })
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
    await cdn.close()
  })
})
