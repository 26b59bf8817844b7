import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** Names that Chromium and its relatives have in `PATH`. */
const NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome',
  'microsoft-edge'
]

const LINUX_PLACES = [
  '/usr/bin/chromium',
  '/usr/lib/chromium/chromium',
  '/snap/bin/chromium',
  '/opt/google/chrome/chrome'
]
const MAC_PLACES = [
  'Google Chrome.app/Contents/MacOS/Google Chrome',
  'Chromium.app/Contents/MacOS/Chromium',
  'Microsoft Edge.app/Contents/MacOS/Microsoft Edge'
]
const WINDOWS_PLACES = [
  'Google\\Chrome\\Application\\chrome.exe',
  'Chromium\\Application\\chrome.exe',
  'Microsoft\\Edge\\Application\\msedge.exe'
]

type Environment = Readonly<Record<string, string | undefined>>

/** The path of Chromium or a relative of it: `CHROMIUM_PATH`, else one in `PATH`, else where systems put it. */
export async function installedBrowser(
  environment: Environment = process.env,
  platform: string = process.platform
): Promise<string | undefined> {
  const named = environment['CHROMIUM_PATH']
  if (named !== undefined && named !== '') return (await isProgram(named)) ? named : undefined
  for (const place of placesOf(environment, platform)) if (await isProgram(place)) return place
  return undefined
}

/** Where it may be, in the order in which it is looked for. */
export function placesOf(environment: Environment, platform: string): string[] {
  const folders = (environment['PATH'] ?? environment['Path'] ?? '')
    .split(delimiter)
    .filter(folder => folder !== '')
  const ending = platform === 'win32' ? '.exe' : ''
  const inPath = NAMES.flatMap(name => folders.map(folder => join(folder, `${name}${ending}`)))
  return [...inPath, ...usualPlaces(environment, platform)]
}

function usualPlaces(environment: Environment, platform: string): string[] {
  if (platform === 'darwin') {
    const folders = ['/Applications', join(environment['HOME'] ?? '/', 'Applications')]
    return folders.flatMap(folder => MAC_PLACES.map(place => join(folder, place)))
  }
  if (platform !== 'win32') return LINUX_PLACES
  const folders = ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].map(name => environment[name])
  return folders.flatMap(folder =>
    folder === undefined ? [] : WINDOWS_PLACES.map(place => `${folder}\\${place}`)
  )
}

function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false
  )
}
