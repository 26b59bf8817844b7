// Finds Firefox for the long run of the browser tests, or installs it.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureProgram, macFolders, printProgram, windowsFolders } from './installed-program.mjs'

const FIREFOX = {
  title: 'Firefox',
  variable: 'FIREFOX_PATH',
  names: ['firefox-esr', 'firefox'],
  places: usualPlaces,
  installers: [
    {
      name: 'apt-get',
      root: true,
      commands: ['apt-get update', 'apt-get install -y --no-install-recommends firefox-esr']
    },
    { name: 'dnf', root: true, commands: ['dnf install -y firefox'] },
    { name: 'apk', root: true, commands: ['apk add --no-cache firefox'] },
    { name: 'pacman', root: true, commands: ['pacman -Sy --noconfirm firefox'] },
    { name: 'zypper', root: true, commands: ['zypper --non-interactive install MozillaFirefox'] },
    { name: 'brew', root: false, commands: ['brew install --cask firefox'] },
    { name: 'winget', root: false, commands: ['winget install --silent --id Mozilla.Firefox'] }
  ]
}

/**
 * The path of Firefox: `FIREFOX_PATH`, else one on the path, else where systems put it, else it is installed. Throws
 * with what to do where that is not possible.
 */
export function ensureFirefox() {
  return ensureProgram(FIREFOX)
}

function usualPlaces() {
  if (process.platform === 'darwin') {
    return macFolders().map(folder => join(folder, 'Firefox.app/Contents/MacOS/firefox'))
  }
  if (process.platform !== 'win32') return ['/snap/bin/firefox', '/usr/lib/firefox/firefox']
  return windowsFolders().map(folder => join(folder, 'Mozilla Firefox\\firefox.exe'))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await printProgram(ensureFirefox)
