import { expect } from 'chai'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Page } from 'playwright-core'
import WebSocket from 'ws'
import type { UploadOptions } from '../../peer/src/core/upload-budget.js'
import type { ContentStream, StreamOptions } from '../../peer/src/site/parts.js'
import { Scene } from '../integration/scene.js'
import { keysIn } from './seeded.js'
import { TaggedSite, noise } from './tagged-site.js'
import { World } from './world.js'

const MIB = 1_048_576
const LENGTH = 12_000_000
const FILM = '/film.mp4'

/** The script tag as far as these tests use it. */
interface Tag {
  connect(mediator: string, options: UploadOptions): void
  stream(options: StreamOptions): Promise<ContentStream | undefined>
}

/** What a page has read. */
interface Outcome {
  readonly digest: string
  readonly received: ContentStream['received']
}

describe('the script tag’s streams', () => {
  let world: World
  let site: TaggedSite
  let bytes: Uint8Array

  before(async () => {
    world = await World.shared()
    bytes = noise(7, LENGTH)
  })
  beforeEach(async () => {
    site = await new TaggedSite().start()
    await site.add(FILM, 'video/mp4', bytes, true)
    site.pages.set('/', '<!doctype html><title>site</title><script src="/mayfly.js"></script>')
  })
  afterEach(async () => {
    expect(await world.leave(/favicon|404|ERR_|Failed to load/)).to.deep.equal([])
    site.close()
  })

  const digestOf = (start: number, end: number): string =>
    createHash('sha256').update(bytes.subarray(start, end)).digest('hex')

  /** Opens a visitor's page and its stream. */
  const visit = async (content = '', sidecar: string | null = `${FILM}.mayfly`): Promise<Page> => {
    const page = await world.visit(site.base)
    if (content) {
      await page.context().addInitScript({ content })
      await page.reload()
    }
    await begin(page, sidecar)
    return page
  }
  const begin = (tab: Page, sidecar: string | null = `${FILM}.mayfly`): Promise<void> =>
    tab.evaluate(
      async ([mediator, fullHash, url, length, beside]) => {
        const page = globalThis as unknown as { mayfly: Tag; film: ContentStream | undefined }
        page.mayfly.connect(mediator, { uploadRate: 1e7, uploadMax: 1e9 })
        page.film = await page.mayfly.stream({
          fullHash,
          url,
          length,
          sidecar: beside ?? undefined,
          type: 'video/mp4'
        })
      },
      [world.mediator(0), site.files.get(FILM)!.fullHash, FILM, LENGTH, sidecar] as const
    )
  /** Reads a range in a page. */
  const read = (page: Page, start = 0, end = LENGTH): Promise<Outcome> =>
    page.evaluate(
      async ([from, to]) => {
        const { film } = globalThis as unknown as { film: ContentStream }
        const all = await new Response(film.read(from, to)).arrayBuffer()
        const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', all))
        return {
          digest: Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join(''),
          received: { ...film.received }
        }
      },
      [start, end] as const
    )
  /** Waits until so many announce the film. */
  const isAnnounced = async (by = 1): Promise<void> => {
    const fullHash = site.files.get(FILM)!.fullHash
    const socket = new WebSocket(world.mediator(0), 'mayfly.v1')
    const tell = (message: object): void => socket.send(JSON.stringify(message))
    await once(socket, 'open')
    tell({ type: 'handshake', connectionType: 'mediation', peerId: randomBytes(20).toString('hex') })
    await new Promise<void>(resolve => {
      socket.on('message', text => {
        const { type, peers } = JSON.parse((text as Buffer).toString()) as { type: string; peers?: unknown[] }
        if (type === 'peers' && (peers?.length ?? 0) >= by) resolve()
        else if (type === 'established' || type === 'peers')
          setTimeout(() => socket.readyState === WebSocket.OPEN && tell({ type: 'get_peers', fullHash }), 50)
      })
    })
    socket.terminate()
  }

  it('brings a film from the site, then to another visitor from the first, who has a part of it, and later from the cache', async () => {
    const first = await visit()
    const part = await read(first, 0, 8 * MIB + 5)
    expect(part).to.deep.equal({
      digest: digestOf(0, 8 * MIB + 5),
      received: { peer: 0, origin: 8 * MIB + 5, cache: 0 }
    })
    await isAnnounced()
    site.delayMs = 400
    const second = await visit()
    const { digest, received } = await read(second)
    expect(digest).to.equal(digestOf(0, LENGTH))
    expect(received.peer).to.be.at.least(5 * MIB)
    expect(received.peer + received.origin).to.equal(LENGTH)
    const asked = site.asked.get(FILM)
    await second.reload()
    await begin(second)
    expect(await read(second)).to.deep.equal({ digest, received: { peer: 0, origin: 0, cache: LENGTH } })
    expect(site.asked.get(FILM)).to.equal(asked)
    // Another tab of the same visitor reads through the one that has the session.
    const tab = await second.context().newPage()
    await tab.goto(site.base)
    await begin(tab)
    expect(await read(tab)).to.deep.equal({ digest, received: { peer: 0, origin: 0, cache: LENGTH } })
    const saved = await tab.evaluate(async () => {
      const { size, type } = await (globalThis as unknown as { film: ContentStream }).film.blob()
      return { size, type }
    })
    expect(saved).to.deep.equal({ size: LENGTH, type: 'video/mp4' })
  })

  it('reads another place at once, and nothing more of the place before', async () => {
    const page = await visit()
    await page.evaluate(async () => {
      const reader = (globalThis as unknown as { film: ContentStream }).film.read().getReader()
      await reader.read()
      await reader.cancel()
    })
    const { digest } = await read(page, 9 * MIB, 9 * MIB + 100)
    expect(digest).to.equal(digestOf(9 * MIB, 9 * MIB + 100))
    const chunks = site.ranges.map(range => Number(/\d+/.exec(range)) / MIB)
    expect(chunks.at(-1)).to.equal(9)
    expect(chunks.slice(0, -1).every(chunk => chunk < 4)).to.equal(true)
    expect(new Set(chunks).size).to.equal(chunks.length)
  })

  it('shows nothing of a peer that lies', async () => {
    const liar = await visit(`
      const { send } = RTCDataChannel.prototype
      RTCDataChannel.prototype.send = function (bytes) {
        if (bytes.length > 1000) bytes[bytes.length - 5] ^= 1
        send.call(this, bytes)
      }
    `)
    await read(liar)
    await isAnnounced()
    const visitor = await visit()
    const { digest, received } = await read(visitor)
    expect(digest).to.equal(digestOf(0, LENGTH))
    expect(received).to.deep.equal({ peer: 0, origin: LENGTH, cache: 0 })
  })

  it('reads from a site without ranges in one go, verified, and shares it', async () => {
    site.hasRanges = false
    const first = await visit()
    expect((await read(first, 5 * MIB, 6 * MIB)).digest).to.equal(digestOf(5 * MIB, 6 * MIB))
    expect((await read(first)).digest).to.equal(digestOf(0, LENGTH))
    expect(site.asked.get(FILM)).to.be.at.most(4)
    await isAnnounced()
    const { digest, received } = await read(await visit())
    expect(digest).to.equal(digestOf(0, LENGTH))
    expect(received.peer + received.origin).to.equal(LENGTH)
  })

  it('passes on what the site has, and keeps nothing of it, where nothing can be verified', async () => {
    site.files.get(`${FILM}.mayfly`)!.bytes[100]! ^= 1
    const page = await visit()
    const { digest, received } = await read(page, 100, 3 * MIB)
    expect(digest).to.equal(digestOf(100, 3 * MIB))
    expect(received).to.deep.equal({ peer: 0, origin: 3 * MIB - 100, cache: 0 })
    expect(await keysIn(page)).to.deep.equal([])
  })

  it('reads from a peer in Node.js, and another has it from the page', async () => {
    const scene = await Scene.open(0)
    try {
      const seeder = await scene.session([world.mediator(0)])
      const fullHash = await seeder.seed(bytes)
      expect(fullHash).to.equal(site.files.get(FILM)!.fullHash)
      await isAnnounced()
      site.delayMs = 400
      const { digest, received } = await read(await visit())
      expect(digest).to.equal(digestOf(0, LENGTH))
      expect(received.peer).to.be.at.least(5 * MIB)
      await isAnnounced(2)
      await seeder.close()
      const other = await scene.session([world.mediator(0)])
      const all = await other.get(fullHash).bytes()
      expect(createHash('sha256').update(all).digest('hex')).to.equal(digest)
    } finally {
      await scene.close()
    }
  })
})
