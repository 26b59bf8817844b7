import { expect } from 'chai'
import { BLOCK_BYTES, type FullHash } from '@mayfly/common'
import type { MayflySession } from '../src/mayfly-session.js'
import type { ByteSource } from '../src/ports/byte-source.js'
import { MemoryWorld, bytesOf, expectSame, failureOf } from './memory-world.js'

const LENGTH = 3_000_000

/** A file that says nothing when it changes: its reader is none the wiser. */
class SilentFile implements ByteSource {
  readonly mayChange = true
  readonly length = LENGTH
  bytes = bytesOf(LENGTH)
  readonly #read = new Set<number>()

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    for (let at = offset; at < offset + length; at += BLOCK_BYTES) this.#read.add(at)
    return this.bytes.slice(offset, offset + length)
  }

  /** It has been hashed: what is read from here on is for others. */
  serve(): void {
    this.#read.clear()
  }

  /** Where a block begins that nobody was sent yet. */
  get unread(): number {
    let at = 0
    while (this.#read.has(at)) at += BLOCK_BYTES
    if (at >= LENGTH) throw new Error('all of it has been read')
    return at
  }
}

const CHANGES: Readonly<Record<string, (file: SilentFile) => void>> = {
  'is replaced by another': file => void (file.bytes = bytesOf(LENGTH)),
  'has one other byte': file => void (file.bytes[file.unread]! ^= 1)
}

describe('a file that changes while it is seeded, and says nothing', function () {
  this.timeout(20_000)
  let world: MemoryWorld
  let file: SilentFile
  let seeder: MayflySession
  let fullHash: FullHash
  const warnings: string[] = []

  beforeEach(async () => {
    world = new MemoryWorld()
    file = new SilentFile()
    warnings.length = 0
    seeder = world.join({ upload: { bytesPerSecond: 2_000_000 } })
    seeder.addEventListener('warning', ({ detail }) => warnings.push(detail.message))
    fullHash = await seeder.seedSource(file)
    file.serve()
    await world.passing(seeder.announced(fullHash))
  })
  afterEach(() => world.end())

  /** Soon after it is read: not announced any more, and said once. */
  async function expectNoticed(): Promise<void> {
    await world.until(
      () => world.mediation.seedersOf(fullHash).every(({ peerId }) => peerId !== seeder.peerId),
      1_000
    )
    expect(warnings).to.deep.equal(['it is not shared any more, because it cannot be read: it has changed'])
  }

  for (const [what, change] of Object.entries(CHANGES)) {
    it(`never arrives wrong when it ${what} before it is fetched, and is not announced any more`, async () => {
      change(file)
      const download = world.join().get(fullHash, { timeoutMs: 5_000 })
      const { code } = await world.passing(failureOf(download.done), 30_000)
      expect(code).to.be.oneOf(['peers_lost', 'no_seeder', 'wrong_bytes'])
      await expectNoticed()
    })

    it(`never arrives wrong when it ${what} while it is fetched, and another brings the rest`, async () => {
      const right = file.bytes.slice()
      const download = world.join().get(fullHash)
      await world.until(() => download.progress.verifiedBytes > LENGTH / 4)
      change(file)
      await world.seeder(right)
      expectSame(await world.passing(download.bytes(), 30_000), right)
      expect(download.progress.peers.filter(({ bytes }) => bytes > 0)).to.have.length(2)
    })

    it(`is not shown to its own page either when it ${what}`, async () => {
      change(file)
      const download = seeder.get(fullHash)
      const { code } = await failureOf(world.passing(download.bytes()))
      expect(code).to.equal('content_changed')
      await expectNoticed()
    })
  }
})
