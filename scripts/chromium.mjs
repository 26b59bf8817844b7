// Finds Chromium for the browser tests, and installs it with the system's package manager where that is allowed.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome',
  'microsoft-edge'
]
const MAC_PATHS = ['Chromium.app/Contents/MacOS/Chromium', 'Google Chrome.app/Contents/MacOS/Google Chrome']
const WINDOWS_PATHS = ['Chromium\\Application\\chrome.exe', 'Google\\Chrome\\Application\\chrome.exe']

/** Package managers, and the command lines that install Chromium with them. */
const INSTALLERS = [
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

/**
 * The path of an installed Chromium or Chrome: `CHROMIUM_PATH`, else one on the path, else where systems and
 * Playwright put it. Undefined where there is none. Throws where `CHROMIUM_PATH` names nothing.
 */
export async function findChromium() {
  const named = process.env.CHROMIUM_PATH
  if (named !== undefined && named !== '') {
    if (isProgram(named)) return named
    throw new Error(`CHROMIUM_PATH names no program: ${named}`)
  }
  const places = [...onPath(), ...usualPlaces(), ...(await playwrightPlaces())]
  return places.find(isProgram)
}

/** Finds Chromium, or installs it. Throws with what to do where neither is possible. */
export async function ensureChromium() {
  const found = await findChromium()
  if (found !== undefined) return found
  const installer = INSTALLERS.find(({ name }) => programOnPath(name) !== undefined)
  if (installer === undefined) throw new Error(ADVICE)
  const sudo = installer.root ? sudoFor() : ''
  const lines = installer.commands.map(command => `${sudo ?? 'sudo '}${command}`)
  if (sudo === undefined) throw new Error(`Chromium is missing. Install it: ${lines.join(' && ')}`)
  for (const line of lines) {
    console.error(`Installing Chromium: ${line}`)
    const [program, ...args] = line.split(' ')
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const { status } = spawnSync(program, args, { stdio: ['ignore', 2, 2], env })
    if (status !== 0) throw new Error(`Chromium is missing, and could not be installed by: ${line}`)
  }
  const installed = await findChromium()
  if (installed === undefined) throw new Error(ADVICE)
  return installed
}

const ADVICE = 'Chromium is missing. Install Chromium or Chrome, or set CHROMIUM_PATH to its program.'

/** What to put before a command that needs root: nothing, sudo, or undefined where it would ask for a password. */
function sudoFor() {
  if (process.getuid?.() === 0) return ''
  if (programOnPath('sudo') === undefined) return undefined
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? 'sudo -n ' : undefined
}

function onPath() {
  return NAMES.map(programOnPath).filter(path => path !== undefined)
}

function programOnPath(name) {
  const ending = process.platform === 'win32' ? '.exe' : ''
  const folders = (process.env.PATH ?? '').split(delimiter).filter(folder => folder !== '')
  return folders.map(folder => join(folder, name + ending)).find(isProgram)
}

function usualPlaces() {
  const { HOME = '', LOCALAPPDATA, PROGRAMFILES, 'PROGRAMFILES(X86)': oldProgramFiles } = process.env
  if (process.platform === 'darwin') {
    return ['/Applications', join(HOME, 'Applications')].flatMap(folder =>
      MAC_PATHS.map(path => join(folder, path))
    )
  }
  if (process.platform !== 'win32')
    return ['/usr/lib/chromium/chromium', '/snap/bin/chromium', '/opt/google/chrome/chrome']
  return [PROGRAMFILES, oldProgramFiles, LOCALAPPDATA]
    .filter(folder => folder !== undefined)
    .flatMap(folder => WINDOWS_PATHS.map(path => join(folder, path)))
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

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return existsSync(path)
  } catch {
    return false
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    console.log(await ensureChromium())
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}
