import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { within } from '../../mediator/test/conformance/time.js'

const PROGRAM = fileURLToPath(new URL('../../peer/bin/mayfly.mjs', import.meta.url))

/** How a command ended, and all that it printed. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** What `mayfly seed` prints when a file can be fetched. */
export interface Seeding {
  readonly event: 'seeding'
  readonly fullHash: string
  readonly length: number
  readonly path: string
}

/** Processes that still run; killed when the test run ends, however it ends. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** How a command is started. */
export interface CommandOptions {
  /** The folder that it runs in. */
  readonly cwd?: string
  /** Runs the command within another, as `unshare` or a shell; ends with the arguments of that. */
  readonly within?: readonly string[]
}

/** One `mayfly` command line in a process of its own. */
export class Command {
  readonly exited: Promise<Exit>
  stdout = ''
  stderr = ''
  readonly #child: ChildProcess
  readonly #watchers = new Set<() => void>()

  constructor(args: readonly string[], { cwd, within: outer = [] }: CommandOptions = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(MAYFLY_|NODE_OPTIONS$)/.test(name))
    const [program = process.execPath, ...rest] = [...outer, process.execPath, PROGRAM, ...args]
    const child = spawn(program, rest, {
      env: Object.fromEntries(inherited),
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd })
    })
    this.#child = child
    running.add(child)
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#said('stdout', text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#said('stderr', text))
    this.exited = new Promise(resolve => {
      child.on('close', (code, signal) => {
        running.delete(child)
        for (const watch of [...this.#watchers]) watch()
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })
      })
    })
  }

  /** Runs a command until it ends by itself; fails and kills it after `withinMs`. */
  static async run(
    args: readonly string[],
    options: CommandOptions & { withinMs?: number } = {}
  ): Promise<Exit> {
    const command = new Command(args, options)
    return command.end(options.withinMs ?? 20_000)
  }

  get isRunning(): boolean {
    return running.has(this.#child)
  }

  /** The files that are seeded so far. */
  get seeding(): Seeding[] {
    const lines = this.stdout.split('\n')
    return lines.filter(line => line.endsWith('}')).map(line => JSON.parse(line) as Seeding)
  }

  /** Settles as soon as `condition` holds for what it printed; fails when it ends before, or after `withinMs`. */
  async until(condition: (command: this) => boolean, withinMs = 20_000): Promise<this> {
    const holds = new Promise<void>((resolve, reject) => {
      const watch = (): void => {
        if (condition(this)) resolve()
        else if (this.isRunning) return
        else reject(new Error(`it ended before; standard error: ${this.stderr}`))
        this.#watchers.delete(watch)
      }
      this.#watchers.add(watch)
      watch()
    })
    await within(withinMs, holds, `${condition.toString()} (standard error: ${this.stderr})`)
    return this
  }

  /** Waits until it ends, after a signal where one is given; kills it after `withinMs`, and fails. */
  async end(withinMs = 10_000, signal?: NodeJS.Signals): Promise<Exit> {
    if (signal !== undefined) this.#child.kill(signal)
    try {
      return await within(withinMs, this.exited, 'the end of the command')
    } finally {
      this.#child.kill('SIGKILL')
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Closes our end of its standard output, as `head` does. */
  stopReading(): void {
    this.#child.stdout?.destroy()
  }

  #said(where: 'stdout' | 'stderr', text: string): void {
    this[where] += text
    for (const watch of [...this.#watchers]) watch()
  }
}

/** The lines of a text, without the empty one behind the last. */
export function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1)
}
