import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { within } from './time.js'

/** Another implementation can be put to the test: `CONFORMANCE_MEDIATOR` is the path of its program for Node.js. */
const PROGRAM =
  process.env['CONFORMANCE_MEDIATOR'] ??
  fileURLToPath(new URL('../../bin/mayfly-mediator.mjs', import.meta.url))
/** A busy machine may take its time to start a process; the protocol names no time for it. */
const START_MS = 45_000
const EXIT_MS = 30_000
const PAGE_BYTES = 4096

/** The line that a mediator prints as soon as it serves. */
export interface Listening {
  readonly event: 'listening'
  readonly mediatorPort: number
  readonly dhtPort: number
  readonly mediatorId: string
}

/** How a process ended, and all that it printed. */
export interface Exit {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** How to start a mediator. Ports are 0 unless given. */
export interface MediatorOptions {
  readonly mediatorPort?: number
  readonly dhtPort?: number
  readonly bootstrap?: string
  readonly flags?: readonly string[]
  readonly limits?: Readonly<Record<string, number>>
  readonly env?: Readonly<Record<string, string>>
}

/** Processes that still run; killed when the test run ends, however it ends. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

function launch(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(MAYFLY_|NODE_OPTIONS$)/.test(name))
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  running.add(child)
  child.on('exit', () => running.delete(child))
  return child
}

/** Runs the program until it exits by itself; one that does not is killed, and the promise rejects. */
export async function runToExit(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {}
): Promise<Exit> {
  const mediator = new SpawnedMediator(launch(args, env))
  try {
    return await within(EXIT_MS, mediator.exited, `the exit of mayfly-mediator ${args.join(' ')}`)
  } finally {
    await mediator.kill()
  }
}

/** One mediator as an operator runs it: the command line in a process of its own. */
export class SpawnedMediator {
  readonly exited: Promise<Exit>
  stdout = ''
  stderr = ''
  #listening: Listening | undefined
  readonly #child: ChildProcess

  constructor(child: ChildProcess) {
    this.#child = child
    child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()))
    this.exited = new Promise(resolve => {
      child.on('close', code => resolve({ code, stdout: this.stdout, stderr: this.stderr }))
    })
  }

  /** Resolves when the mediator has printed its `listening` line. */
  static async start(options: MediatorOptions = {}): Promise<SpawnedMediator> {
    const ports = [String(options.mediatorPort ?? 0), String(options.dhtPort ?? 0)]
    const bootstrap = options.bootstrap === undefined ? [] : [options.bootstrap]
    const limits = options.limits === undefined ? {} : { MAYFLY_LIMITS: JSON.stringify(options.limits) }
    const args = [...ports, ...bootstrap, ...(options.flags ?? [])]
    const mediator = new SpawnedMediator(launch(args, { ...limits, ...options.env }))
    try {
      await within(START_MS, mediator.#untilListening(), 'the listening line')
      return mediator
    } catch (error) {
      await mediator.kill()
      throw new Error(`${String(error)}; standard error: ${mediator.stderr.slice(0, 1500)}`, { cause: error })
    }
  }

  get listening(): Listening {
    if (this.#listening === undefined) throw new Error('this mediator has not started')
    return this.#listening
  }

  get mediatorId(): string {
    return this.listening.mediatorId
  }

  /** Where peers connect. */
  get url(): string {
    return `ws://127.0.0.1:${this.listening.mediatorPort}`
  }

  /** Where its HTTP pages are. */
  get httpUrl(): string {
    return `http://127.0.0.1:${this.listening.mediatorPort}`
  }

  /** What another mediator is given to join the network of this one. */
  get bootstrapAddress(): string {
    return `127.0.0.1:${this.listening.dhtPort}`
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Physical memory of the process, from Linux's /proc. */
  get residentBytes(): number {
    const pages = readFileSync(`/proc/${this.#child.pid}/statm`, 'utf8').split(' ')[1]
    return Number(pages) * PAGE_BYTES
  }

  signal(name: 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name)
  }

  /** Asks it to drain and waits for its exit. */
  stop(): Promise<Exit> {
    this.#child.kill('SIGTERM')
    return within(EXIT_MS, this.exited, 'the exit after SIGTERM')
  }

  /** Ends it without a chance to say goodbye. */
  async kill(): Promise<void> {
    if (this.isRunning) this.#child.kill('SIGKILL')
    await this.exited
  }

  async #untilListening(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#child.stdout?.on('data', () => {
        if (this.stdout.includes('\n')) resolve()
      })
      void this.exited.then(({ code }) => reject(new Error(`the mediator ended with ${code}`)))
    })
    this.#listening = JSON.parse(this.stdout.split('\n')[0] ?? '') as Listening
  }
}
