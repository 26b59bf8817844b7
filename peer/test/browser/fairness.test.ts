import { expect } from 'chai'
import type { Server } from 'node:http'
import { runInChromium } from './run-in-chromium.js'

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; frame-src 'self'; require-trusted-types-for 'script'"

describe('fairness to visitors in Chromium', function () {
  this.timeout(60_000)

  it('is shown by a badge, decided by the visitor, and kept', async () => {
    const { passed, failed } = await runInChromium('./fairness.entry.ts', (server: Server) => {
      server.prependListener('request', (_, response) =>
        response.setHeader('content-security-policy', POLICY)
      )
    })
    expect(failed).to.deep.equal([])
    expect(passed).to.have.length(11)
  })
})
