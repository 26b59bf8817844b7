/**
 * mocha's browser build, for entry files that run in a page: import this first, describe the tests, then call
 * `runInPage`. The outcome is in `globalThis.outcome` when it is over.
 */
import 'mocha/mocha.js'

/** Full titles; failed ones with their messages. */
export interface Outcome {
  readonly passed: string[]
  readonly failed: string[]
}

declare global {
  var outcome: Outcome | undefined
}

const mochaInPage = (globalThis as unknown as { mocha: BrowserMocha }).mocha
mochaInPage.setup({ ui: 'bdd', reporter: 'spec', timeout: 10_000 })

/** Runs what has been described. */
export function runInPage(): void {
  const found: Outcome = { passed: [], failed: [] }
  const runner = mochaInPage.run(() => (globalThis.outcome = found))
  runner.on('pass', test => found.passed.push(test.fullTitle()))
  runner.on('fail', (test, error) => found.failed.push(`${test.fullTitle()}: ${error.message}`))
}
