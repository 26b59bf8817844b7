import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { FAULTS, SITE, WorkerWorld, brings, fail, hashOf, json, type TestPage } from './worker-world.js'
import { leavesNoRejection } from './unhandled.js'

/** A restarted worker, and one whose sections are unread, waits so long: four times what a page has. */
const READ_MS = 200
/** For what may be known already. */
const ACKNOWLEDGE_MS = 50

describe('what the service worker of a site waits for', () => {
  leavesNoRejection()
  let world: WorkerWorld
  let page: TestPage

  beforeEach(async () => {
    world = new WorkerWorld()
    await world.name({ 'a.png': 'picture', 'b.png': 'other' })
    world.start()
    await world.worker.install()
    page = await world.open('one')
  })
  afterEach(() => world.end())

  /** Milliseconds until the network's bytes were given. */
  const networkAfter = async (path = 'a.png', id = 'one'): Promise<number> => {
    const answered = world.ask(path, id)
    const ms = await world.msUntil(answered)
    const response = await answered
    expect(response === undefined || (await response.text()) === 'network').to.equal(true)
    return ms
  }

  it('throws (a page, when it is told something): the network has it', async () => {
    page.answer = () => void fail('throws')
    expect(await networkAfter()).to.be.at.most(ACKNOWLEDGE_MS)
  })

  for (const fault of FAULTS) {
    it(`${fault} (the list of clients): the network has it`, async () => {
      world.clientsFault = fault
      expect(await networkAfter()).to.be.at.most(ACKNOWLEDGE_MS)
    })

    it(`${fault} (the cache): the network has it, or the page`, async () => {
      await world.hold('picture')
      await world.open('two')
      world.caches.fault = fault
      expect(await networkAfter()).to.be.at.most(READ_MS + ACKNOWLEDGE_MS + 10)
      page.answer = brings('picture')
      const answered = world.ask('a.png', 'one')
      // Nobody waits for the same cache again.
      expect(await world.msUntil(answered)).to.equal(0)
      expect(await (await answered)?.text()).to.equal('picture')
    })

    it(`${fault} (the manifest, after the worker was restarted with no cache): the network has it`, async () => {
      world.caches.fault = fault
      world.manifest = () => fail(fault)
      world.start()
      expect(await networkAfter()).to.be.at.most(READ_MS)
    })

    it(`${fault} (a section of the manifest): the network has it`, async () => {
      await world.name({}, { sections: [['a', 'm-0000000000000000.json']] })
      world.now += 3_000
      await world.open('two')
      world.section = () => fail(fault)
      expect(await networkAfter('a.png', 'two')).to.be.at.most(READ_MS)
    })

    if (fault !== 'hangs')
      it(`${fault} (the network): as without a worker`, async () => {
        world.network = () => fail(fault)
        const error = await world.ask('a.png', 'one').catch((reason: unknown) => reason)
        expect(error).to.be.instanceOf(DOMException)
      })
  }

  describe('where the manifest is in sections', () => {
    let right: Response

    beforeEach(async () => {
      const file = { fullHash: await hashOf('picture'), length: 7, type: 'image/png' }
      const text = JSON.stringify({ files: { 'a.png': file } })
      const name = `m-${createHash('sha256').update(text).digest('hex').slice(0, 16)}.json`
      right = json(text)
      world.section = () => right.clone()
      await world.name({}, { sections: [['a.png', name]] })
      world.now += 3_000
      page = await world.open('two')
      page.answer = brings('picture')
    })

    it('reads the section of an address, and asks the page then', async () => {
      expect(await (await world.ask('a.png', 'two'))?.text()).to.equal('picture')
      expect(await (await world.ask('a.png', 'two'))?.text()).to.equal('picture')
      expect(world.sections).to.have.length(1)
    })

    it('lets the first viewport of a page wait for no section, and has it read for what comes later', async () => {
      await world.open('new', false)
      expect(await world.ask('a.png', 'new')).to.equal(undefined)
      expect(world.sections).to.have.length(1)
      await world.rest()
      await world.turns(() => true)
      await world.worker.message('new', { mayfly: 'shown' })
      world.pages.get('new')!.answer = brings('picture')
      expect(await (await world.ask('a.png', 'new'))?.text()).to.equal('picture')
    })

    it('has what a page brought for the next one, from its first picture on', async () => {
      await world.hold('picture')
      await world.worker.message('two', { mayfly: { held: await hashOf('picture'), url: `${SITE}/a.png` } })
      expect(world.sections).to.have.length(1)
      await world.open('new', false)
      expect(await (await world.ask('a.png', 'new'))?.text()).to.equal('picture')
      expect(world.fetched).to.deep.equal([])
    })

    it('takes no section that is not what its name promises', async () => {
      world.section = () => json('{"files":{}}')
      expect(await (await world.ask('a.png', 'two'))?.text()).to.equal('network')
      expect(page.asked).to.deep.equal([])
    })

    it(`goes on without a section after ${READ_MS} ms`, async () => {
      world.section = () => new Promise<Response>(() => {})
      const answered = world.ask('a.png', 'two')
      expect(await world.msUntil(answered)).to.equal(READ_MS)
      expect(await (await answered)?.text()).to.equal('network')
      expect(world.fetched).to.have.length(1)
    })
  })
})
