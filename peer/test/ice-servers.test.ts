import type { IceServer } from '@mayfly/common'
import { expect } from 'chai'
import type { Notes } from '../src/ports/notes.js'
import { MemoryWorld, bytesOf, expectSame, fullHashOfBytes } from './memory-world.js'

const STUN: IceServer[] = [{ urls: ['stun:stun.example'] }]
const OTHER: IceServer[] = [{ urls: ['stun:other.example'] }]

/** Notes of one site, for several visits. */
function notesOfSite(): Notes & { readonly written: string[] } {
  const texts = new Map<string, string>()
  const written: string[] = []
  return {
    written,
    read: name => texts.get(name),
    write(name, text) {
      written.push(name)
      if (text === undefined) texts.delete(name)
      else texts.set(name, text)
    }
  }
}

describe('what a mediator offered for ICE on the last visit', () => {
  let world: MemoryWorld
  let notes: ReturnType<typeof notesOfSite>
  const bytes = bytesOf(50_000)
  beforeEach(async () => {
    world = new MemoryWorld()
    notes = notesOfSite()
    world.mediation.iceServers = STUN
    const first = world.join({ notes })
    await world.passing(first.established)
    await first.close()
    await world.seeder(bytes)
  })
  afterEach(() => world.end())

  it('serves the connection that is begun before the mediator has answered', async () => {
    const fullHash = await fullHashOfBytes(bytes)
    const session = world.join({ notes })
    let before: unknown
    session.addEventListener('mediator', ({ detail: { state } }) => {
      if (state === 'established') before = [...world.offeredWith]
    })
    expectSame(await world.passing(session.get(fullHash).bytes()), bytes)
    expect(before).to.deep.equal([STUN])
    expect(world.offeredWith, 'and no other is made').to.deep.equal([STUN])
  })

  it('gives way to what it offers now', async () => {
    world.mediation.iceServers = OTHER
    const fullHash = await fullHashOfBytes(bytes)
    const download = world.join({ notes }).get(fullHash)
    expectSame(await world.passing(download.bytes()), bytes)
    expect(world.offeredWith).to.deep.equal([STUN, OTHER])
  })

  it("gives way to the page's own option", async () => {
    const fullHash = await fullHashOfBytes(bytes)
    const download = world.join({ notes, iceServers: OTHER }).get(fullHash)
    expectSame(await world.passing(download.bytes()), bytes)
    expect(world.offeredWith).to.deep.equal([OTHER])
  })

  it('is not written again while it stays the same', async () => {
    await world.passing(world.join({ notes }).established)
    expect(notes.written).to.have.length(1)
  })
})
