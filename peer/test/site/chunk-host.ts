import { openChunks, type ChunkEngine, type ChunkHost } from '../../src/site/chunks.js'
import type { Brought } from '../../src/site/object-session.js'
import { digest, fullHashOf, levelsOf, toHex } from '../../src/site/tree.js'
import { encode, join, read, type Message } from '../../src/site/wire.js'
import type { ContentServer } from './content-server.js'
import { fakeNeighbour, type Behaviour, type FakeNeighbour } from './fake-neighbour.js'
import type { LongContent } from './long-content.js'
import { memorySiteStore, type MemorySiteStore } from './memory-site-store.js'

/** What a session gives the chunks, with everything that they did there. */
export interface FakeHost extends ChunkHost {
  readonly store: MemorySiteStore
  /** `get_peers` that were sent. */
  readonly lookups: string[]
  readonly dropped: FakeNeighbour[]
  receivedBytes: number
}

export function chunkHost(): FakeHost {
  let next = 0
  const all = new Map<string, FakeNeighbour>()
  const host: FakeHost = {
    digest,
    encode,
    fullHashOf,
    join,
    levelsOf,
    read,
    toHex,
    loads: { number: () => next++ },
    serves: { clients: new Map() },
    neighbours: {
      all,
      drop: one => {
        host.dropped.push(one as FakeNeighbour)
        one.close()
        all.delete(one.peerId)
      }
    },
    store: memorySiteStore(),
    mediator: { send: message => void host.lookups.push((message as { fullHash: string }).fullHash) },
    received: bytes => void (host.receivedBytes += bytes),
    announceSoon: () => {},
    lookups: [],
    dropped: [],
    receivedBytes: 0
  }
  return host
}

/** The chunks of one visitor, with neighbours and a site that have one content. */
export function chunkWorld(content: LongContent, server: ContentServer) {
  const host = chunkHost()
  const engine: ChunkEngine = openChunks(host)
  const deliver = (neighbour: FakeNeighbour, message: Message): void => {
    try {
      engine.receive(neighbour, message)
    } catch {
      // As `neighbours.ts` does.
      host.neighbours.drop(neighbour)
    }
  }
  return {
    host,
    engine,
    /** A neighbour who is connected. */
    meet: async (
      behaviour: Behaviour = 'honest',
      held?: number[],
      name = `${host.neighbours.all.size}`
    ): Promise<FakeNeighbour> => {
      const one = Object.assign(await fakeNeighbour(name, content, deliver), { behaviour, held })
      ;(host.neighbours.all as Map<string, FakeNeighbour>).set(one.peerId, one)
      return one
    },
    bring: (
      index: number | undefined,
      how: { reader?: string; isUrgent?: boolean; patienceMs?: number; length?: number } = {}
    ): Promise<Brought | undefined> => {
      const { reader = 'reader', isUrgent = false, patienceMs = 5_000, length = content.bytes.length } = how
      const chunk = { index, sidecar: server.sidecar, reader, patienceMs, isUrgent }
      return engine.bring({ fullHash: content.fullHash, url: server.url, length, patienceMs: 10_000, chunk })
    }
  }
}
