import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { inlined } from '../../src/manifest/script-tag.js'
import { CheckedSite, scriptsOf } from './checked-site.js'

describe('the check of the parts of the tag', () => {
  let site: CheckedSite
  beforeEach(async () => {
    site = await CheckedSite.start()
  })
  afterEach(() => site.close())

  const problems = async (): Promise<string> => (await site.found()).problem.join('\n')
  const change = async (name: string): Promise<void> =>
    site.folder.write({ [name]: `/* changed */${await site.folder.text(name)}` })

  for (const name of ['objects', 'peers', 'uploads', 'streams', 'client', 'requests', 'library'])
    it(`finds that mayfly-${name}.js is changed on its way, or is not there`, async () => {
      const file = `mayfly-${name}.js`
      site.answers.set(file, (_, response) => response.writeHead(404).end())
      const { problem, note } = await site.found()
      expect([...problem, ...note].join()).to.contain(`${file}: the site answers 404`)
      site.answers.clear()
      await change(file)
      expect(await problems()).to.contain(`${file} is not what the script knows: something in between`)
    })

  it('asks for the badge only where the tag has one', async () => {
    await change('mayfly-badge.js')
    expect(await problems()).to.equal('')
    await site.page({ 'data-badge': '' })
    expect(await problems()).to.match(/^mayfly-badge.js is not what the script knows/)
  })

  it('finds that the script itself is changed, empty, or none of ours; another version it notes', async () => {
    await change('mayfly.js')
    expect(await problems()).to.match(/^the script is not mayfly.js as it is built: something in between/)
    await site.folder.write({ 'mayfly.js': '\n' })
    expect(await problems()).to.match(/^the script is empty: Mayfly is switched off on this site/)
    await site.folder.write({ 'mayfly.js': 'alert(1)' })
    expect(await problems()).to.match(/it does not know what its parts hash to/)
    const other = scriptsOf(' nonce')
    const client = '// client of tomorrow, scope: more'
    const hash = (text: string): string => createHash('sha256').update(text).digest('base64').replace('=', '')
    const text = other['mayfly.js']?.replace(hash(other['mayfly-client.js'] ?? ''), hash(client)) ?? ''
    await site.folder.write({ 'mayfly.js': text, 'mayfly-client.js': client })
    const { problem, note } = await site.found()
    expect(problem).to.deep.equal([])
    expect(note).to.deep.equal(['the script is of another version than this command'])
  })

  it('finds that the worker is changed, or leads elsewhere', async () => {
    await change('mayfly-worker.js')
    expect(await problems()).to.match(/^the service worker is not mayfly-worker.js as it is built/)
    site.answers.set('mayfly-worker.js', (_, response) =>
      response.writeHead(302, { Location: '/mayfly-client.js' }).end()
    )
    expect(await problems()).to.match(/mayfly-worker.js leads elsewhere, which browsers refuse/)
  })

  it("compares the script with the tag's integrity, of which the strongest hash counts", async () => {
    const integrity = (algorithm: string, text: string): string =>
      `${algorithm}-${createHash(algorithm).update(text).digest('base64')}`
    const text = await site.folder.text('mayfly.js')
    await site.page({ integrity: `${integrity('sha256', 'other')} ${integrity('sha384', text)}` })
    expect(await problems()).to.equal('')
    await site.page({ integrity: `${integrity('sha256', text)} ${integrity('sha384', 'other')}` })
    expect(await problems()).to.match(/the script is not what the tag's integrity says/)
  })

  it('asks the policy about each part as a script that is not written in the page', async () => {
    const withPolicy = async (sources: string): Promise<string> => {
      site.headers['Content-Security-Policy'] = `script-src ${sources}; worker-src 'self'`
      return problems()
    }
    await site.page({ nonce: 'abc' })
    expect(await withPolicy("'nonce-abc'")).to.equal('')
    expect(await withPolicy("'nonce-abc' 'strict-dynamic'")).to.equal('')
    expect(await withPolicy(`${site.url}/mayfly.js`)).to.match(
      /^CSP: script-src does not allow what the script fetches: mayfly-objects.js, mayfly-client.js, mayfly-requests.js\n.*mayfly-peers.js, mayfly-uploads.js, mayfly-streams.js, mayfly-library.js$/
    )
    // One that keeps its nonce to itself.
    const { 'mayfly.js': text = '' } = scriptsOf()
    await site.folder.write({ 'mayfly.js': text })
    expect(await withPolicy("'nonce-abc'")).to.match(/script-src does not allow what the script fetches/)
    expect(await withPolicy("'nonce-abc' 'strict-dynamic'")).not.to.match(/script-src/)
  })

  it('says of a version without a policy of Trusted Types that it has none', async () => {
    site.headers['Content-Security-Policy'] = "require-trusted-types-for 'script'"
    const { 'mayfly.js': text = '' } = scriptsOf()
    await site.folder.write({ 'mayfly.js': text })
    expect(await problems()).to.match(/this version of the script has no policy of its own/)
  })

  it('says what scripts of another site have to send', async () => {
    const other = await CheckedSite.start()
    await site.page({ src: `${other.url}/mayfly.js` })
    site.headers['Cross-Origin-Embedder-Policy'] = 'require-corp'
    expect(await problems()).to.match(/^the script: COEP: .*Cross-Origin-Resource-Policy: cross-origin/)
    other.headers['Cross-Origin-Resource-Policy'] = 'cross-origin'
    expect(await problems()).to.match(/^mayfly-objects.js: CORS: .* has to send Access-Control-Allow-Origin/)
    other.headers['Access-Control-Allow-Origin'] = '*'
    expect(await problems()).to.equal('')
    await other.close()
  })

  it('takes a loader that is written in the page as it is, with its parts beside data-from', async () => {
    const { 'mayfly.js': text = '' } = scriptsOf(' trustedTypes.createPolicy, script.nonce "<script>"')
    await site.bundle({ 'mayfly.js': text })
    const inline = inlined(text)
    const inPage = { src: undefined, 'data-from': '/scripts/mayfly.js' }
    await site.page(inPage, { inline })
    expect(await problems()).to.match(
      /mayfly-objects.js: the site answers 404; .*\/scripts\/mayfly-objects.js/
    )
    await site.page({ ...inPage, 'data-from': '/mayfly.js' }, { inline })
    const { fine, note, problem } = await site.found()
    expect({ note, problem }).to.deep.equal({ note: [], problem: [] })
    expect(fine.join()).to.match(
      /the script: written in the page, its parts beside .*\/mayfly.js,its parts are as/
    )
    await site.page({ ...inPage, 'data-from': '/mayfly.js' }, { inline: `${inline} // changed` })
    expect(await problems()).to.match(/^the script is not mayfly.js as it is built: something in between/)
    await site.page({ ...inPage, 'data-from': 'http://[' }, { inline })
    expect(await problems()).to.match(/^data-from is no address: http:\/\/\[: the script finds no part/)
    await site.page({ src: undefined }, { inline })
    expect((await site.found()).note.join()).to.match(
      /has no data-from: its parts are looked for beside the page/
    )
  })

  it('asks the policy about a loader that is written in the page', async () => {
    const inline = scriptsOf(' trustedTypes.createPolicy, script.nonce')['mayfly.js'] ?? ''
    await site.page({ src: undefined, 'data-from': '/mayfly.js', nonce: 'abc' }, { inline })
    const withPolicy = async (sources: string): Promise<string> => {
      site.headers['Content-Security-Policy'] = `script-src ${sources}; worker-src 'self'`
      return problems()
    }
    const hash = createHash('sha256').update(inline).digest('base64')
    for (const sources of ["'self' 'unsafe-inline'", `'self' 'sha256-${hash}'`, "'self' 'nonce-abc'"])
      expect(await withPolicy(sources), sources).to.equal('')
    for (const sources of ["'self'", "'self' 'nonce-other'", "'self' 'unsafe-inline' 'nonce-other'"])
      expect(await withPolicy(sources), sources).to.match(
        /^CSP: script-src does not allow a script that is written in the page: `mayfly prepare` without --inline/
      )
  })

  it('compares what the worker imports for the whole library, which the rest works without', async () => {
    const found = async (): Promise<string[]> => {
      const { note, problem } = await site.found()
      expect(problem).to.deep.equal([])
      return note
    }
    await change('mayfly-relay.js')
    expect(await found()).to.deep.equal([
      'mayfly-relay.js: it is not as it is built; only pages that call mayfly.serve need it'
    ])
    site.answers.set('mayfly-relay.js', (_, response) => response.writeHead(404).end())
    expect((await found()).join()).to.match(/^mayfly-relay.js: the site answers 404; /)
  })

  it('compares the worker that another one imports, whose manifest has to be beside that', async () => {
    const register = '<script>navigator.serviceWorker.register("/app/sw.js", { scope: "/app/" })</script>'
    await site.page({}, { head: register })
    await site.folder.write({
      'app/sw.js': "importScripts('./other.js', '/own/mayfly-worker.js')",
      'own/mayfly-worker.js': await site.folder.text('mayfly-worker.js')
    })
    expect(await problems()).to.match(
      /^a service worker that imports ours has the manifest beside it: .*\/app\/mayfly-manifest.json, and not .*\/mayfly-manifest.json as the tag says$/
    )
    await site.page({}, { head: register.replace('/app/sw.js', '/sw.js') })
    await site.folder.write({ 'sw.js': "importScripts('/own/mayfly-worker.js')" })
    expect(await problems()).to.equal('')
    await change('own/mayfly-worker.js')
    expect(await problems()).to.match(/^the service worker is not mayfly-worker.js as it is built/)
  })

  it('says which of two service workers is in the way, and by which line they are one', async () => {
    await site.page({}, { head: '<script>navigator.serviceWorker.register("/sw.js")</script>' })
    await site.folder.write({ 'sw.js': 'self.onfetch = () => {}' })
    expect(await problems()).to.match(
      /a service worker of its own, .*\/sw.js: .*importScripts\('\/mayfly-worker.js'\)/
    )
    await site.folder.write({ 'sw.js': "importScripts('/mayfly-worker.js')" })
    expect(await problems()).to.equal('')
    await site.page({}, { head: '<script>navigator.serviceWorker.register(name)</script>' })
    const { note, problem } = await site.found()
    expect(problem).to.deep.equal([])
    expect(note.join()).to.match(/whose address is not written there/)
  })
})
