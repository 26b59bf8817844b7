import type { Stage } from './stage.js'

/**
 * Tests of one `describe` that mostly wait: all of them start before the first and run at one time.
 *
 * Each is reported on its own. Clients of the stage stay until the last test is over.
 */
export function itTogether(stage: Stage, tests: Readonly<Record<string, () => Promise<unknown>>>): void {
  const outcomes = new Map<string, Promise<() => void>>()

  before(() => {
    stage.keepsClients = true
    for (const [title, run] of Object.entries(tests)) outcomes.set(title, outcomeOf(run))
  })

  after(() => {
    stage.keepsClients = false
    stage.clear()
  })

  for (const title of Object.keys(tests)) {
    it(title, async () => (await outcomes.get(title))?.())
  }
}

/** Runs to the end, and gives what throws the error if there was one. */
async function outcomeOf(run: () => Promise<unknown>): Promise<() => void> {
  try {
    await run()
    return () => undefined
  } catch (error) {
    return () => {
      throw error
    }
  }
}
