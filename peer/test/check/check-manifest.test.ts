import { expect } from 'chai'
import { checkMediators } from '../../src/check/check-mediators.js'
import { bytesOf } from '../manifest/folder.js'
import { CheckedSite, collected, type Answer } from './checked-site.js'

describe('the check of what travels', () => {
  let site: CheckedSite
  beforeEach(async () => {
    site = await CheckedSite.start()
  })
  afterEach(() => site.close())

  const problems = async (): Promise<string> => (await site.found()).problem.join('\n')

  it('finds a manifest of another type, or that is elsewhere, and notes one that is kept for long', async () => {
    const text = await site.folder.text()
    const answer =
      (headers: Record<string, string>): Answer =>
      (_, response) =>
        void response.writeHead(200, headers).end(text)
    site.answers.set('mayfly-manifest.json', answer({ 'Content-Type': 'text/html' }))
    expect(await problems()).to.match(/its type is text\/html instead of application\/json/)
    site.answers.set(
      'mayfly-manifest.json',
      answer({ 'Content-Type': 'application/manifest+json; charset=utf-8' })
    )
    expect(await problems()).to.equal('')
    site.answers.set(
      'mayfly-manifest.json',
      answer({ 'Content-Type': 'application/json', 'Cache-Control': 'public, max-age=0, s-maxage=86400' })
    )
    expect((await site.found()).note.join()).to.match(/kept for 86400 s on its way/)
    await site.folder.write({ 'elsewhere.json': text })
    site.answers.set('mayfly-manifest.json', (_, response) =>
      response.writeHead(302, { Location: '/elsewhere.json' }).end()
    )
    expect(await problems()).to.match(/leads to .*elsewhere.json; it is taken only from where the tag says/)
  })

  it('takes a manifest only as visitors do: JSON of an application', async () => {
    const text = await site.folder.text()
    site.answers.set('mayfly-manifest.json', (_, response) =>
      response.writeHead(200, { 'Content-Type': 'text/json' }).end(text)
    )
    expect(await problems()).to.match(/its type is text\/json instead of application\/json/)
  })

  describe('in sections', () => {
    let sections: string[] = []
    beforeEach(async () => {
      const files = Array.from({ length: 200 }, (_, i) => [`img/${i}.png`, bytesOf(100, i)])
      await site.folder.write(Object.fromEntries(files))
      await site.folder.manifest()
      sections = ((await site.folder.json())['sections'] as string[][]).map(([, name = '']) => name)
      expect(sections).to.have.length.above(3)
    })

    it('knows the files of all of them', async () => {
      const { fine, problem } = await site.found()
      expect(problem).to.deep.equal([])
      expect(fine.join('\n')).to.match(/^the manifest: 202 files below/m)
      expect(fine.join('\n')).to.match(/^the page names 2 files of the manifest/m)
      expect(fine).to.include('"film.mp4": ranges are answered')
    })

    it('finds one that is not there, is another, leads elsewhere, or is no JSON', async () => {
      const name = sections[1] ?? ''
      const text = await site.folder.text(name)
      const said = async (status: number, headers: Record<string, string>, body: string): Promise<string> => {
        site.answers.set(name, (_, response) => response.writeHead(status, headers).end(body))
        return problems()
      }
      const json = { 'Content-Type': 'application/json' }
      expect(await said(404, {}, '')).to.match(
        /^the sections of the manifest: the site answers 404; .*\.json; what is in them comes from the site only$/
      )
      expect(await said(200, json, `${text} `)).to.match(/\.json is not the section that is named/)
      expect(await said(200, { 'Content-Type': 'text/html' }, text)).to.match(/its type is text\/html/)
      await site.folder.write({ 'elsewhere.json': text })
      expect(await said(302, { Location: '/elsewhere.json' }, '')).to.match(/it leads to .*elsewhere.json/)
      expect(await said(200, json, text)).to.equal('')
    })

    it('asks the policy about each of them', async () => {
      const mediator = `${site.url.replace('http', 'ws')}/mediator`
      await site.page({ 'data-mediators': mediator })
      const withPolicy = async (sources: string): Promise<string> => {
        site.headers['Content-Security-Policy'] = `connect-src ${mediator} ${sources}`
        return problems()
      }
      expect(await withPolicy("'self'")).to.equal('')
      expect(await withPolicy(`${site.url}/mayfly-manifest.json`)).to.contain(
        `CSP: connect-src does not allow ${sections.length} of ${sections.length} sections of the manifest: ${site.url}/${sections[0]}`
      )
    })
  })

  it('never says that nothing stands in the way where no file may travel', async () => {
    const manifest = await site.folder.json()
    const change = (more: object): Promise<void> =>
      site.folder.write({ 'mayfly-manifest.json': JSON.stringify({ ...manifest, ...more }) })
    await change({ off: ['a b.png'], revoked: [manifest.files['film.mp4']?.['fullHash']] })
    expect(await problems()).to.match(/every file is switched off or revoked/)
    await change({ files: {} })
    expect(await problems()).to.match(/the manifest has no files/)
  })

  it('never says so where the page asks for nothing of the manifest', async () => {
    await site.page({}, { body: '<img src="other.png"><a href="/film.mp4">film</a>' })
    expect(await problems()).to.match(/^nothing that this page names is in the manifest/)
    for (const body of [
      '<img srcset="other.png 1x, /a%20b.png 2x">',
      '<p style="background: url(a%20b.png)">',
      '<style>p { background: url("/a%20b.png") }</style>',
      '<link rel="stylesheet" href="s/style.css">',
      '<script>document.images[0].src = "/film.mp4"</script>',
      '<script src="app.js"></script>'
    ]) {
      await site.folder.write({
        's/style.css': "p { background: url('../a%20b.png') }",
        'app.js': 'mayfly.fetch(x)'
      })
      await site.page({}, { body })
      expect(await problems(), body).to.equal('')
    }
  })

  it('takes the name of a page list in a script for no name of a file', async () => {
    await site.folder.write({
      'mayfly-pages/index.json': '["a b.png"]'
    })
    await site.folder.manifest()
    expect(await site.folder.paths()).to.include('mayfly-pages/index.json')
    await site.page({}, { body: '<script>fetch("/search/index.json")</script>' })
    expect(await problems()).to.match(/^nothing that this page names is in the manifest/)
  })

  it('says what travels without a service worker: what scripts ask for, or what has a hash', async () => {
    await site.page({ 'data-worker': undefined })
    expect(await problems()).to.match(
      /^no service worker .*, and no script of it calls mayfly: nothing travels/
    )
    await site.page(
      { 'data-worker': undefined },
      { body: '<img src="a%20b.png"><script>mayfly.load(h, e)</script>' }
    )
    const { problem, note } = await site.found()
    expect(problem).to.deep.equal([])
    expect(note.join()).to.match(/^no service worker/)
  })

  it('takes hashes of images for nothing that travels without a service worker', async () => {
    const { fullHash } = (await site.folder.json()).files['a b.png'] ?? {}
    const more = { 'data-worker': undefined }
    await site.page(more, { body: `<img src="a%20b.png" data-mayfly="${String(fullHash)}">` })
    expect(await problems()).to.match(/^no service worker .*: nothing travels$/)
    await site.page(more, { body: `<a download href="a%20b.png" data-mayfly="${String(fullHash)}">` })
    expect(await problems()).to.equal('')
  })

  it('finds hashes in the page that the manifest does not have', async () => {
    await site.page({}, { body: `<img src="a%20b.png" data-mayfly="${'0'.repeat(64)}">` })
    expect(await problems()).to.match(/^1 of 1 hashes in the page \(data-mayfly\) are not in the manifest/)
  })

  it('finds a server that sends browsers other bytes than the file has', async () => {
    const content = await site.folder.read('a b.png')
    site.answers.set('a b.png', ({ headers }, response) => {
      response.setHeader('Vary', 'Accept')
      if (headers.accept?.includes('image/webp') === true)
        response.writeHead(200, { 'Content-Type': 'image/webp' }).end(bytesOf(500))
      else response.writeHead(200, { 'Content-Type': 'image/png' }).end(content)
    })
    expect(await problems()).to.match(
      /^"a b.png": browsers are sent other bytes than the file has \(image\/webp/
    )
  })

  it('says that a site which answers 403 may keep robots out', async () => {
    site.answers.set('index.html', (_, response) => response.writeHead(403).end())
    expect(await problems()).to.equal(
      'the page: the site answers 403; it may keep robots out, and this command is one'
    )
  })

  it('finds mediators at private addresses on a page of the public network, and only there', async () => {
    const found = async (page: string, mediators: string): Promise<string> => {
      const findings = collected()
      const tag = (name: string): string | undefined => (name === 'data-mediators' ? mediators : undefined)
      const hosts: Record<string, string[]> = {
        'shop.example': ['93.184.216.34'],
        'inside.example': ['10.1.2.3']
      }
      await checkMediators(
        { url: new URL(page), tag, policies: [] },
        async host => hosts[host] ?? [],
        findings
      )
      return findings.lines.problem.filter(text => text.includes('private')).join()
    }
    expect(await found('https://shop.example/', 'wss://localhost:1')).to.match(
      /private address \(localhost\)/
    )
    expect(await found('https://shop.example/', 'wss://127.0.0.1:1')).to.match(
      /private address \(127.0.0.1\)/
    )
    expect(await found('https://shop.example/', 'wss://inside.example:1')).to.match(
      /private address \(10.1.2.3\)/
    )
    expect(await found('https://inside.example/', 'wss://127.0.0.1:1')).to.equal('')
    expect(await found('http://127.0.0.1/', 'ws://127.0.0.1:1')).to.equal('')
  })
})
