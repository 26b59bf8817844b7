import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { ensureChromium } from '../scripts/chromium.mjs'

const IN_NAMESPACE = fileURLToPath(new URL('wan/chromium-in-ns.sh', import.meta.url))
/** Without the three against throttling, what is measured would be how Chromium treats hidden pages. */
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows'
]
/** Left to Playwright, a signal would end Chromium and leave the servers. */
const OWN_SIGNALS = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false }

/**
 * Starts Chromium, with `namespace` in that network namespace. Pages of the origins `trust` are in a secure context
 * there although they come from an address.
 */
export async function launchChromium({ namespace, trust }) {
  const executablePath = await ensureChromium()
  if (namespace === undefined) return chromium.launch({ executablePath, args: ARGS, ...OWN_SIGNALS })
  const args = [
    ...ARGS,
    `--unsafely-treat-insecure-origin-as-secure=${trust}`,
    // No link of the emulated network carries multicast DNS.
    '--disable-features=WebRtcHideLocalIpsWithMdns'
  ]
  const env = { ...process.env, BENCH_NETNS: namespace, BENCH_CHROMIUM: executablePath }
  return chromium.launch({ executablePath: IN_NAMESPACE, args, env, ...OWN_SIGNALS })
}

/** Starts Chromium with a profile in `folder`: in other contexts it keeps what is stored in memory. Gives the context. */
export async function launchChromiumWithProfile(folder) {
  const executablePath = await ensureChromium()
  return chromium.launchPersistentContext(folder, { executablePath, args: ARGS, ...OWN_SIGNALS })
}
