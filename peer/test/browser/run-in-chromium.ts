import { build } from 'esbuild'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { chromium, type Page } from 'playwright-core'
import type { Outcome } from './mocha-in-page.js'

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

/** A page in Chromium, and what it did not catch. */
export interface OpenPage {
  readonly page: Page
  readonly errors: readonly string[]
  close(): Promise<void>
}

/**
 * Bundles an entry file of this folder and opens it in Chromium from a server on 127.0.0.1. `extend` may add to
 * the server.
 */
export async function openPage(
  entry: string,
  extend: (server: Server) => void = () => {}
): Promise<OpenPage> {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
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
  extend(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS })
  const close = async (): Promise<void> => {
    await browser.close()
    server.closeAllConnections()
    server.close()
  }
  try {
    const page = await browser.newPage()
    const errors: string[] = []
    page.on('pageerror', error => void errors.push(error.message))
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    return { page, errors, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Opens a page, and waits for the outcome of its tests. Errors that nothing caught count as failed. */
export async function runInChromium(
  entry: string,
  extend: (server: Server) => void = () => {}
): Promise<Outcome> {
  const { page, errors, close } = await openPage(entry, extend)
  try {
    await page.waitForFunction('globalThis.outcome !== undefined', undefined, { timeout: 50_000 })
    const { passed, failed } = (await page.evaluate('globalThis.outcome')) as Outcome
    return { passed, failed: [...failed, ...errors] }
  } finally {
    await close()
  }
}
