import { expect } from 'chai'
import { runToExit, type Exit } from './spawned-mediator.js'

/** What the program is started with. */
export interface Invocation {
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Asserts that a process ended with `code`, one line on standard error, and nothing on standard output. */
export function expectOneLine(exit: Exit, code: number): void {
  expect(exit.code, exit.stderr).to.equal(code)
  expect(exit.stderr).to.match(/^[^\n]+\n$/)
  expect(exit.stderr).to.not.match(/ {4}at /)
  expect(exit.stdout).to.equal('')
}

/** One test per invocation: it ends with one line and exit 2. They run two at a time before the first test. */
export function itRefuses(title: string, invocations: Readonly<Record<string, Invocation>>): void {
  const exits = new Map<string, Exit>()

  before(async function () {
    const left = Object.entries(invocations)
    this.timeout(10_000 * left.length)
    const runNext = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const [name, { args, env }] = next
        exits.set(name, await runToExit(args, env))
      }
    }
    await Promise.all([runNext(), runNext()])
  })

  for (const name of Object.keys(invocations)) {
    it(`${title} ${name}`, () => {
      const exit = exits.get(name)
      if (exit === undefined) throw new Error('the program has not run')
      expectOneLine(exit, 2)
    })
  }
}
