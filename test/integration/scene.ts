import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { SpawnedMediator, type MediatorOptions } from '../../mediator/test/conformance/spawned-mediator.js'
import { RELAXED } from '../../mediator/test/conformance/stage.js'
import { nodeConnector } from '../../peer/src/adapters/node-connector.js'
import { openWsSocket } from '../../peer/src/adapters/ws-socket.js'
import type { ConnectOptions } from '../../peer/src/api.js'
import { NodeSession } from '../../peer/src/node/node-session.js'
import { ScriptedPeer, type Script } from '../../peer/test/scripted-peer.js'
import { Command, type CommandOptions } from './command.js'

/** Mediators, sessions, commands and a folder; all that a test began ends with it. */
export class Scene {
  readonly mediators: SpawnedMediator[] = []
  readonly #folder: string
  readonly #endings: (() => unknown)[] = []

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** A scene with so many mediators of one network. */
  static async open(mediatorCount = 1): Promise<Scene> {
    const scene = new Scene(await mkdtemp(join(tmpdir(), 'mayfly-')))
    for (let index = 0; index < mediatorCount; index++) await scene.startMediator()
    return scene
  }

  /** One more mediator, bootstrapped through the first. */
  async startMediator(options: MediatorOptions = {}): Promise<SpawnedMediator> {
    const [first] = this.mediators
    const joined = first === undefined ? {} : { bootstrap: first.bootstrapAddress }
    const mediator = await SpawnedMediator.start({
      limits: RELAXED,
      flags: ['--host', '127.0.0.1'],
      ...joined,
      ...options
    })
    this.mediators.push(mediator)
    return mediator
  }

  /** The addresses of all mediators, that of the nth first. */
  urls(first = 0): string[] {
    const urls = this.mediators.map(({ url }) => url)
    return [...urls.slice(first), ...urls.slice(0, first)]
  }

  url(index = 0): string {
    return this.urls(index)[0] ?? ''
  }

  /** A path in the folder of the scene. */
  path(...names: readonly string[]): string {
    return join(this.#folder, ...names)
  }

  /** What is in a folder of the scene. */
  async names(...folder: readonly string[]): Promise<string[]> {
    return (await readdir(this.path(...folder))).sort()
  }

  /** A new file of random bytes; gives its path. */
  async file(name: string, length: number): Promise<string> {
    const path = this.path(name)
    await writeFile(path, randomBytes(length))
    return path
  }

  /** Starts a command. */
  start(args: readonly string[], options?: CommandOptions): Command {
    const command = new Command(args, options)
    this.#endings.push(() => command.end(10_000, 'SIGKILL'))
    return command
  }

  /** Starts `mayfly seed` and waits until it has named `count` files. */
  async seed(paths: readonly string[], urls: readonly string[] = this.urls(), count = 1): Promise<Command> {
    const command = this.start(['seed', ...paths, ...mediatorFlags(urls)])
    return command.until(({ seeding }) => seeding.length >= count, 60_000)
  }

  /** A session of this process. */
  async session(urls: readonly string[] = this.urls(), options: ConnectOptions = {}): Promise<NodeSession> {
    const session = await NodeSession.connect(urls, options)
    this.#endings.push(() => session.close())
    return session
  }

  /** A peer of this process whose behaviour is a script, over real WebSockets and WebRTC. */
  async scripted(script: Script, urls: readonly string[] = this.urls()): Promise<ScriptedPeer> {
    const connector = await nodeConnector()
    const peer = new ScriptedPeer({ urls, connector, openSocket: openWsSocket, script })
    this.#endings.push(() => peer.close())
    return peer
  }

  /** Ends at the end of the test what something else began. */
  alsoEnd(end: () => unknown): void {
    this.#endings.push(end)
  }

  /** Ends all but the mediators. Fails where one of them has ended by itself. */
  async clear(): Promise<void> {
    for (const end of this.#endings.splice(0).reverse()) await end()
    await rm(this.#folder, { recursive: true, force: true })
    await mkdir(this.#folder, { recursive: true })
    const ended = this.mediators.find(({ isRunning }) => !isRunning)
    if (ended !== undefined) throw new Error(`a mediator has ended: ${ended.stderr.slice(-2_000)}`)
  }

  async close(): Promise<void> {
    for (const end of this.#endings.splice(0).reverse()) await end()
    await Promise.all(this.mediators.map(mediator => mediator.kill()))
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** `--mediator` for each. */
export function mediatorFlags(urls: readonly string[]): string[] {
  return urls.flatMap(url => ['--mediator', url])
}

/** SHA-256 of a file's bytes. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
