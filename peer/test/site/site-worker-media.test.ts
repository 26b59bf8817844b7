import { expect } from 'chai'
import {
  WorkerWorld,
  brings,
  findsNothing,
  hashOf,
  isSilent,
  mediumRequest,
  refuses,
  streams,
  type PageAnswer,
  type TestPage
} from './worker-world.js'
import { leavesNoRejection } from './unhandled.js'

/** What the network answered, as it came. */
function raw(text: string, status = 200): Response {
  return new Response(text, { status, headers: { 'X-From': 'site' } })
}

describe('the service worker of a site, asked by a player', () => {
  leavesNoRejection()
  let world: WorkerWorld
  let given: Response

  beforeEach(async () => {
    world = new WorkerWorld()
    await world.name({ 'song.mp4': 'song', 'film.mp4': 'film' })
    world.network = () => (given = raw('network'))
    world.start()
    await world.worker.install()
  })
  afterEach(() => world.end())

  /** It went to the network as the browser made it, and what the network said came back as it was. */
  const isUntouched = (request: Request, response: Response | undefined): boolean =>
    response === given && world.fetched.at(-1) === request
  const took = (id: string): TestPage => world.page(id)

  it('lets what a page began to play before the worker came go on as it began', async () => {
    const page = took('claimed')
    page.answer = reply => reply('begun')
    for (const range of [undefined, 'bytes=0-', 'bytes=2-3']) {
      const request = mediumRequest('song.mp4', range)
      expect(isUntouched(request, await world.send(request, 'claimed')), range).to.equal(true)
    }
    expect(page.asked).to.have.length(3)
    expect(page.lastAsked?.destination).to.equal('video')
  })

  it('does not take from the cache what a page may have begun without it, and does where it was there before the page', async () => {
    await world.hold('song')
    const claimed = took('claimed')
    claimed.answer = reply => reply('begun')
    await world.open('other')
    const request = mediumRequest('song.mp4')
    expect(isUntouched(request, await world.send(request, 'claimed'))).to.equal(true)
    const page = await world.open('opened')
    expect(await (await world.send(mediumRequest('song.mp4', 'bytes=1-2'), 'opened'))?.text()).to.equal('on')
    expect(page.asked).to.deep.equal([])
  })

  for (const [name, answer, ms] of [
    ['says nothing', isSilent, 1_000],
    ['refuses', refuses, 0]
  ] as [string, PageAnswer, number][])
    it(`leaves it as it came where a page that it took over ${name}`, async () => {
      took('claimed').answer = answer
      const request = mediumRequest('song.mp4')
      const answered = world.send(request, 'claimed')
      expect(await world.msUntil(answered)).to.equal(ms)
      expect(isUntouched(request, await answered)).to.equal(true)
    })

  it('answers all ranges itself from the first one on, also when the page is silent later', async () => {
    const long = { fullHash: 'f'.repeat(64), length: 4, type: 'video/mp4', sidecar: 'long.mp4.mayfly' }
    await world.name({}, { files: { 'long.mp4': long } })
    world.now += 3_000
    await world.open('other')
    const page = took('claimed')
    page.answer = streams(new Blob(['lo']).stream())
    expect(await (await world.send(mediumRequest('long.mp4', 'bytes=0-1'), 'claimed'))?.text()).to.equal('lo')
    for (const answer of [refuses, findsNothing, isSilent]) {
      page.answer = answer
      const answered = world.send(mediumRequest('long.mp4', 'bytes=2-'), 'claimed')
      expect(await world.msUntil(answered)).to.be.at.most(50)
      const response = await answered
      // The bytes are the network's; the response has no URL, as that of the first range.
      expect(response).not.to.equal(given)
      expect([response?.url, response?.headers.get('X-From')]).to.deep.equal(['', 'site'])
      expect(await response?.text()).to.equal('network')
    }
  })

  it('answers itself all that a page fetches which it has opened, from the network too', async () => {
    const page = await world.open('opened')
    page.answer = findsNothing
    world.network = () => (given = raw('network', 206))
    const response = await world.send(mediumRequest('film.mp4', 'bytes=0-'), 'opened')
    expect(response).not.to.equal(given)
    expect([response?.status, response?.url]).to.deep.equal([206, ''])
    expect(await response?.text()).to.equal('network')
    // Its first viewport waits for nobody, and is answered the same way.
    await world.open('new', false)
    expect(await world.send(mediumRequest('film.mp4'), 'new')).not.to.equal(given)
  })

  it('goes on answering what it began when the manifest names it no more', async () => {
    const page = took('claimed')
    page.answer = brings('song')
    await world.send(mediumRequest('song.mp4', 'bytes=0-1'), 'claimed')
    await world.name({ 'film.mp4': 'film' })
    world.now += 3_000
    await world.open('other')
    const later = await world.send(mediumRequest('song.mp4', 'bytes=2-'), 'claimed')
    expect(later).not.to.equal(undefined)
    expect(later).not.to.equal(given)
    expect(await world.send(mediumRequest('song.mp4'), 'other')).to.equal(undefined)
  })

  it('gives what verifies only, and the raw network for a page that it took over and that lies', async () => {
    const page = took('claimed')
    page.answer = brings('gnos')
    const response = await world.send(mediumRequest('song.mp4'), 'claimed')
    expect(await response?.text()).to.equal('network')
    expect(page.asked).to.deep.equal([await hashOf('song')])
    expect(world.fetched).to.have.length(1)
  })

  it('leaves media of another site to the browser', async () => {
    await world.name({ 'song.mp4': 'song' }, { base: 'https://cdn.example/' })
    world.start()
    await world.worker.install()
    const page = await world.open('opened')
    page.answer = brings('song')
    const request = new Request('https://cdn.example/song.mp4')
    Object.defineProperty(request, 'destination', { value: 'video' })
    expect(await world.send(request, 'opened')).to.equal(undefined)
  })
})
