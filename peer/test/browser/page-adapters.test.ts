import { expect } from 'chai'
import { serveSockets } from '../ports/socket-server.js'
import { runInChromium } from './run-in-chromium.js'

describe('the adapters of a page in Chromium', function () {
  this.timeout(60_000)

  it('pass the contracts of connectors and sockets', async () => {
    const { passed, failed } = await runInChromium('./page-adapters.entry.ts', serveSockets)
    expect(failed).to.deep.equal([])
    expect(passed).to.have.length.greaterThan(15)
  })
})
