import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../mediator/bin/mayfly-mediator.mjs', import.meta.url))
/** Time to start and to drain, generous for a small computer that compiles beside it. */
const START_MS = 20_000
const DRAIN_MS = 8_000
/** pino's number for "warn": what is below is of no interest to a newcomer. */
const WARNING = 40
/** What a terminal obeys or shows in another order: others may have put it into what a mediator says. */
const OBEYED = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
/** Lines kept to say why a mediator did not start. */
const LINES_KEPT = 5

/** One mediator as a process of its own. */
export class MediatorProcess {
  /** Settles when it serves, with `{ mediatorPort, dhtPort, mediatorId }`; rejects in its own words where it ends before. */
  listening
  /** Settles with how it ended. */
  ended
  /** @readonly */
  #child

  /**
   * @param {string} name how its lines are marked
   * @param {readonly string[]} args of its command line
   * @param {{ print?: (line: string) => void, verbose?: boolean, env?: NodeJS.ProcessEnv }} [options]
   */
  constructor(name, args, { print = console.error, verbose = false, env = process.env } = {}) {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      // Its standard input ends with this process, however that ends, and the mediator with it.
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...env, MAYFLY_END_WITH_STDIN: '1' }
    })
    child.stdin.on('error', () => undefined)
    const said = []
    let serving = false
    this.#child = child
    this.ended = new Promise(resolve => {
      child.once('error', error => resolve(error.message))
      child.once('close', (code, signal) => resolve(signal ?? `exit ${code}`))
    })
    this.listening = new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${name} did not start within ${START_MS / 1000} s`)),
        START_MS
      )
      createInterface({ input: child.stdout }).on('line', line => {
        const event = parse(line)
        if (event?.event !== 'listening') return
        serving = true
        resolve(event)
      })
      void this.ended.then(how => reject(new Error(`${name} did not start: ${said.at(-1) ?? how}`)))
      void this.ended.then(() => clearTimeout(timer))
    })
    this.listening.catch(() => this.stop())
    createInterface({ input: child.stderr }).on('line', line => {
      const text = wordsOf(line, verbose)
      if (text === undefined) return
      said.push(text)
      if (said.length > LINES_KEPT) said.shift()
      if (verbose || serving) print(`${name}: ${text}`)
    })
  }

  /** Sends a signal, to see what happens. */
  kill(signal) {
    this.#child.kill(signal)
  }

  /** Lets it drain, and ends it where that takes too long. */
  async stop() {
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), DRAIN_MS)
    await this.ended
    clearTimeout(timer)
  }
}

/** A line of the log in words, or undefined where it is of no interest. */
function wordsOf(line, verbose) {
  const entry = parse(line)
  if (entry === undefined) return line === '' ? undefined : line
  const { level, msg, err } = entry
  if (!verbose && level < WARNING) return undefined
  const text = `${msg ?? ''}${err?.message ? `: ${err.message}` : ''}`
  return text.replace(OBEYED, mark => `\\u{${mark.codePointAt(0).toString(16)}}`)
}

function parse(line) {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
