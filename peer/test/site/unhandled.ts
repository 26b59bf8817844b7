import { expect } from 'chai'
import { settle } from '../manual-clock.js'

/** Within a `describe`: each of its tests fails where it leaves a rejection to nobody. A page's console would show it. */
export function leavesNoRejection(): void {
  const reasons = new Set<unknown>()
  const hear = (reason: unknown): unknown => reasons.add(reason)

  beforeEach(() => {
    reasons.clear()
    process.on('unhandledRejection', hear)
  })
  afterEach(async () => {
    await settle()
    process.off('unhandledRejection', hear)
    expect([...reasons].map(String)).to.deep.equal([])
  })
}
