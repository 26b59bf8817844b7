import { expect } from 'chai'
import { runInChromium } from './run-in-chromium.js'

describe('IndexedDB in Chromium', function () {
  this.timeout(60_000)

  it('passes the contract of stores', async () => {
    const { passed, failed } = await runInChromium('./indexeddb-store.entry.ts')
    expect(failed).to.deep.equal([])
    expect(passed).to.have.length.greaterThan(15)
  })
})
