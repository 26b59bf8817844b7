import { expect } from 'chai'
import { CheckedSite } from './checked-site.js'

describe('the check of a script tag', () => {
  let site: CheckedSite
  beforeEach(async () => {
    site = await CheckedSite.start()
  })
  afterEach(() => site.close())

  const problems = async (): Promise<string> => (await site.found()).problem.join('\n')

  for (const [attributes, text] of [
    [{ defer: '' }, /has defer: it runs when/],
    [{ async: '' }, /has async: it runs when/],
    [{ type: 'module' }, /type="module": the script cannot see its tag/],
    [{ type: 'text/plain' }, /type="text\/plain": browsers do not run it/],
    [{ nomodule: '' }, /nomodule/],
    [{ 'data-upload-ratio': '0' }, /data-upload-ratio="0": visitors give nothing/],
    [{ 'data-origin-after-ms': '0' }, /other visitors never/],
    [{ 'data-manifest': undefined }, /data-worker without data-manifest/],
    [{ 'data-manifest': 'https://%' }, /data-manifest is no address: https:\/\/%/],
    [{ 'data-worker': 'https://%' }, /data-worker is no address/],
    [{ 'data-mediators': ' ' }, /names no mediator/],
    [{ src: 'http://[' }, /src that is no address/]
  ] as const) {
    it(`finds ${JSON.stringify(attributes)} in the way`, async () => {
      await site.page(attributes)
      expect(await problems()).to.match(text)
    })
  }

  it('finds a tag behind what it is there for, and says of one in the body that the head is better', async () => {
    await site.page({}, { html: tag => `<body><img src="a%20b.png"><p>text</p>${tag}</body>` })
    expect(await problems()).to.equal(
      'the script tag stands behind <img src="a%20b.png">: what stands before it is already on its way; it belongs into the head'
    )
    await site.page({}, { html: tag => `<body>${tag}<img src="a%20b.png"></body>` })
    const { problem, note } = await site.found()
    expect({ problem, note }).to.deep.equal({
      problem: [],
      note: ['the script tag stands in the body: it belongs into the head, before all that is shown']
    })
  })

  it('finds that <base> moves addresses, unless the policy forbids the element', async () => {
    const more = { 'data-worker': 'mayfly-worker.js' }
    await site.page(more, { head: '<base href="/elsewhere/">', body: '<img src="/a%20b.png">' })
    const { note, problem } = await site.found()
    expect(note.join()).to.contain(
      `<base href> moves data-worker="mayfly-worker.js" to ${site.url}/elsewhere/mayfly-worker.js`
    )
    expect(problem.join()).to.match(/the service worker: the site answers 404/)
    site.headers['Content-Security-Policy'] = "base-uri 'none'"
    expect(await problems()).to.equal('')
  })

  it('finds an Integrity-Policy that the tag does not meet, and notes one that only reports', async () => {
    site.headers['Integrity-Policy'] = 'blocked-destinations=(script), endpoints=(all)'
    expect(await problems()).to.match(/^Integrity-Policy: the script tag has no integrity and no crossorigin/)
    site.headers['Integrity-Policy'] = 'blocked-destinations=(style)'
    expect(await problems()).to.equal('')
    site.headers['Integrity-Policy-Report-Only'] = 'blocked-destinations=(script)'
    const { note, problem } = await site.found()
    expect(problem).to.deep.equal([])
    expect(note.join()).to.match(/^Integrity-Policy-Report-Only: the script tag has no integrity/)
  })

  it('finds a sandbox and a list of Trusted Types in which nothing happens', async () => {
    const withPolicy = async (policy: string): Promise<string> => {
      site.headers['Content-Security-Policy'] = policy
      return problems()
    }
    expect(await withPolicy('sandbox allow-scripts')).to.equal(
      'CSP: sandbox without allow-same-origin: nothing happens at all'
    )
    expect(await withPolicy('sandbox')).to.match(/without allow-scripts and allow-same-origin/)
    expect(await withPolicy('sandbox allow-scripts allow-same-origin')).to.equal('')
    expect(await withPolicy("require-trusted-types-for 'script'; trusted-types other")).to.match(
      /trusted-types does not allow the policy mayfly, and require-trusted-types-for needs one: nothing happens/
    )
    expect(await withPolicy("require-trusted-types-for 'script'; trusted-types other mayfly")).to.equal('')
    expect(await withPolicy("require-trusted-types-for 'script'")).to.equal('')
    expect(await withPolicy("webrtc 'block'")).to.match(/visitors cannot reach each other/)
  })

  it('takes what only reports for no obstacle', async () => {
    site.headers['Content-Security-Policy-Report-Only'] = "default-src 'none'; sandbox"
    expect(await site.found()).to.deep.include({ problem: [], note: [] })
  })

  it('finds the end of a page that is too large, and takes no more memory for it', async () => {
    await site.page({}, { body: `<img src="a%20b.png">${'<b>'.repeat(1_390_000)}` })
    const began = performance.now()
    const { problem } = await site.found()
    expect(problem).to.have.lengthOf(1)
    expect(problem[0]).to.match(/^the page is too large or too deeply nested/)
    expect(performance.now() - began).to.be.below(8_000)
  })
})
