// Installs what package-lock.json names, where it is not there yet. Needs nothing but Node.js and npm.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('..', import.meta.url)

/** Whether every package of the lockfile is installed in its version. Optional ones may be missing: other systems'. */
export function isInstalled() {
  try {
    const wanted = packagesOf('package-lock.json')
    const installed = packagesOf('node_modules/.package-lock.json')
    return Object.entries(wanted).every(
      ([path, { version, optional, peer, link }]) =>
        !path.startsWith('node_modules/') || optional || peer || link || installed[path]?.version === version
    )
  } catch {
    return false
  }
}

/** Runs `npm ci` where something is missing. Throws with one line where that fails. */
export function ensureInstalled() {
  if (isInstalled()) return
  console.log('Installing packages (npm ci) …')
  runNpm(['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'npm ci failed: see above')
}

/** Runs npm in the checkout. Throws an Error with `failure` where it does not end well. */
export function runNpm(args, failure) {
  // Under npm its own path is known; on Windows a bare "npm" is a script that only a shell runs.
  const own = process.env.npm_execpath
  const options = { cwd: fileURLToPath(root), stdio: 'inherit' }
  const { status } = own?.endsWith('.js')
    ? spawnSync(process.execPath, [own, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' })
  if (status !== 0) throw new Error(failure)
}

function packagesOf(path) {
  return JSON.parse(readFileSync(new URL(path, root), 'utf8')).packages
}
