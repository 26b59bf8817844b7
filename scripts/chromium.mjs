// Finds Chromium for the browser tests, or installs it.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureProgram, macFolders, printProgram, windowsFolders } from './installed-program.mjs'

const MAC_PATHS = ['Chromium.app/Contents/MacOS/Chromium', 'Google Chrome.app/Contents/MacOS/Google Chrome']
const WINDOWS_PATHS = ['Chromium\\Application\\chrome.exe', 'Google\\Chrome\\Application\\chrome.exe']

const CHROMIUM = {
  title: 'Chromium',
  variable: 'CHROMIUM_PATH',
  names: [
    'chromium',
    'chromium-browser',
    'google-chrome',
    'google-chrome-stable',
    'chrome',
    'microsoft-edge'
  ],
  places: async () => [...usualPlaces(), ...(await playwrightPlaces())],
  installers: [
    {
      name: 'apt-get',
      root: true,
      commands: ['apt-get update', 'apt-get install -y --no-install-recommends chromium']
    },
    { name: 'dnf', root: true, commands: ['dnf install -y chromium'] },
    { name: 'apk', root: true, commands: ['apk add --no-cache chromium'] },
    { name: 'pacman', root: true, commands: ['pacman -Sy --noconfirm chromium'] },
    { name: 'zypper', root: true, commands: ['zypper --non-interactive install chromium'] },
    { name: 'brew', root: false, commands: ['brew install --cask chromium'] },
    { name: 'winget', root: false, commands: ['winget install --silent --id Google.Chrome'] }
  ]
}

/**
 * The path of Chromium or Chrome: `CHROMIUM_PATH`, else one on the path, else where systems and Playwright put it, else
 * it is installed. Throws with what to do where that is not possible.
 */
export function ensureChromium() {
  return ensureProgram(CHROMIUM)
}

function usualPlaces() {
  if (process.platform === 'darwin') {
    return macFolders().flatMap(folder => MAC_PATHS.map(path => join(folder, path)))
  }
  if (process.platform !== 'win32')
    return ['/usr/lib/chromium/chromium', '/snap/bin/chromium', '/opt/google/chrome/chrome']
  return windowsFolders().flatMap(folder => WINDOWS_PATHS.map(path => join(folder, path)))
}

/** Where Playwright keeps a Chromium of its own, if its package is there. */
async function playwrightPlaces() {
  try {
    const { chromium } = await import('playwright-core')
    return [chromium.executablePath()]
  } catch {
    return []
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await printProgram(ensureChromium)
