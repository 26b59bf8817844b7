import type { Server } from 'node:http'
import { chromium, type Page } from 'playwright-core'
import type { Outcome } from './mocha-in-page.js'
import { serveEntry } from './serve-entry.js'

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
 * Opens an entry file of this folder in Chromium. `extend` may add to the server that it comes from.
 */
export async function openPage(
  entry: string,
  extend: (server: Server) => void = () => {}
): Promise<OpenPage> {
  const served = await serveEntry(entry, extend)
  const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS })
  const close = async (): Promise<void> => {
    await browser.close()
    served.close()
  }
  try {
    const page = await browser.newPage()
    const errors: string[] = []
    page.on('pageerror', error => void errors.push(error.message))
    await page.goto(served.url)
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
