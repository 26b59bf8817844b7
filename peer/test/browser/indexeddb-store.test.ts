import { expect } from 'chai'
import { build } from 'esbuild'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const ENTRY = fileURLToPath(new URL('./indexeddb-store.entry.ts', import.meta.url))
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

describe('IndexedDB in Chromium', function () {
  this.timeout(60_000)

  it('passes the contract of stores', async () => {
    const bundle = await build({
      entryPoints: [ENTRY],
      bundle: true,
      write: false,
      format: 'iife',
      conditions: ['mayfly-src'],
      define: { global: 'globalThis' },
      logLevel: 'silent'
    })
    const script = bundle.outputFiles[0]?.text ?? ''
    const server = createServer((request, response) => {
      if (request.url === '/script.js') response.setHeader('content-type', 'text/javascript').end(script)
      else
        response
          .setHeader('content-type', 'text/html')
          .end('<meta charset="utf-8"><script src="/script.js"></script>')
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
    const browser = await chromium.launch({ executablePath, args: ARGUMENTS })
    try {
      const page = await browser.newPage()
      const errors: string[] = []
      page.on('pageerror', error => void errors.push(error.message))
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      await page.waitForFunction('globalThis.outcome !== undefined', undefined, { timeout: 30_000 })
      const outcome = (await page.evaluate('globalThis.outcome')) as { passed: string[]; failed: string[] }
      expect(outcome.failed).to.deep.equal([])
      expect(outcome.passed).to.have.length.greaterThan(15)
      expect(errors).to.deep.equal([])
    } finally {
      await browser.close()
      server.close()
    }
  })
})
