import { stat } from 'node:fs/promises'
import { DEFAULT_MEDIATION_LIMITS, type FullHash } from '@mayfly/common'
import { fileSource } from '../adapters/file-source.js'
import { NodeSession } from '../node/node-session.js'
import type { ByteSource } from '../ports/byte-source.js'
import { CommandError, fileTrouble, mediatorUrls, readArguments, UsageError } from './arguments.js'
import { filesBelow, type FoundFile } from './file-tree.js'
import { stopSignal } from './stop.js'
import { TwinFiles, TwinSource } from './twin-files.js'
import { print, say } from './terminal.js'

/** Seeds from one process: a session for every so many hashes, as a mediator keeps no more of one. */
class SeedingSessions {
  readonly #urls: readonly string[]
  readonly #sessions: NodeSession[] = []
  /** Files of each content: it can be fetched as long as one of them is as it was. */
  readonly #twins = new Map<FullHash, TwinFiles>()
  /** Which session has a hash already. */
  readonly #homes = new Map<FullHash, NodeSession>()
  /** Hashes of the newest session. */
  #count = 0
  readonly #onrefused: () => void

  /** `onrefused`: every mediator refuses, so that seeding is over. */
  constructor(urls: readonly string[], onrefused: () => void) {
    this.#urls = urls
    this.#onrefused = onrefused
  }

  /** Seeds one file; `announced` settles when it can be fetched. */
  async seed(
    source: ByteSource,
    signal: AbortSignal
  ): Promise<{ fullHash: FullHash; announced: Promise<void> }> {
    const twin = new TwinSource(source)
    const full = this.#count >= DEFAULT_MEDIATION_LIMITS.maxHashesPerConnection
    const newest = this.#sessions.at(-1)
    const session = newest === undefined || full ? await this.#add() : newest
    const fullHash = await session.seedSource(twin, { signal })
    const twins = this.#twins.get(fullHash) ?? new TwinFiles()
    this.#twins.set(fullHash, twins)
    twin.join(twins)
    const home = this.#homes.get(fullHash)
    if (home === undefined) {
      this.#homes.set(fullHash, session)
      this.#count++
    } else if (home !== session) await session.finish(fullHash)
    return { fullHash, announced: (home ?? session).announced(fullHash) }
  }

  async close(): Promise<void> {
    await Promise.all(this.#sessions.map(session => session.close()))
  }

  async #add(): Promise<NodeSession> {
    const session = await NodeSession.connect(this.#urls)
    session.addEventListener('mediator', ({ detail }) => {
      if (detail.state === 'lost')
        say(`the mediator ${detail.url ?? ''} was lost: ${detail.reason ?? 'unknown reason'}`)
      if (detail.state === 'closed' && detail.reason !== undefined) {
        say(detail.reason)
        this.#onrefused()
      }
    })
    session.addEventListener('warning', ({ detail }) => say(detail.message))
    this.#sessions.push(session)
    this.#count = 0
    return session
  }
}

/** `mayfly seed <file-or-folder…>`: shares until it is stopped. Gives the exit code. */
export async function seedCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments({
    args: [...args],
    allowPositionals: true,
    options: { mediator: { type: 'string', multiple: true } }
  })
  if (positionals.length === 0) throw new UsageError('no file or folder is named')
  const urls = mediatorUrls(values.mediator)
  for (const path of positionals) {
    await stat(path).catch((error: unknown) => {
      throw new CommandError(`${path}: ${fileTrouble(error)}`)
    })
  }
  const refused = new AbortController()
  const stop = AbortSignal.any([stopSignal(), refused.signal])
  const sessions = new SeedingSessions(urls, () => refused.abort())
  let seeded = 0
  for await (const file of allFiles(positionals)) {
    if (stop.aborted) break
    try {
      await seedOne(sessions, file, stop)
      seeded++
    } catch (error) {
      if (!stop.aborted) say(`${file.path}: ${fileTrouble(error)}`)
    }
  }
  if (seeded > 0) await aborted(stop)
  await sessions.close()
  if (refused.signal.aborted) throw new CommandError('no mediator accepts this peer')
  if (seeded > 0 || stop.aborted) return 0
  throw new CommandError('nothing could be seeded')
}

async function* allFiles(paths: readonly string[]): AsyncGenerator<FoundFile> {
  for (const path of paths)
    yield* filesBelow(path, (skipped, reason) => say(`${skipped} is left out: ${fileTrouble(reason)}`))
}

async function seedOne(sessions: SeedingSessions, file: FoundFile, signal: AbortSignal): Promise<void> {
  const { path } = file
  const source = await fileSource(path, file)
  const { fullHash, announced } = await sessions.seed(source, signal)
  const line = JSON.stringify({ event: 'seeding', fullHash, length: source.length, path })
  // Not waited for: the next file is hashed meanwhile.
  announced.then(
    () => print(line),
    () => {}
  )
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
