// Whether what is built is newer than what it is built from.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runNpm } from './install.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

const SOURCES = ['common/src', 'mediator/src', 'peer/src', 'preview/src', 'preview/shop']
const SETTINGS = [
  'package-lock.json',
  'tsconfig.base.json',
  'scripts/compile.mjs',
  'scripts/bundle.mjs',
  'peer/webpack.config.mjs',
  'preview/webpack.config.mjs'
]
const BUILT = [
  'common/dist',
  'mediator/dist',
  'peer/dist/bundle/mayfly.js',
  'preview/dist/mayfly-library.js',
  'preview/dist/shop/manifest.json'
]
/** Written last by every compilation, changed or not. */
const LAST_BUILT = 'preview/dist/seeder.js'

/** Whether `npm run compile` has nothing to do. */
export function isCompiled() {
  if (![...BUILT, LAST_BUILT].every(path => existsSync(join(root, path)))) return false
  const built = statSync(join(root, LAST_BUILT)).mtimeMs
  const sources = [...SOURCES.flatMap(filesBelow), ...SETTINGS.map(path => join(root, path))]
  return sources.every(path => statSync(path).mtimeMs <= built)
}

/** Compiles where something changed. Throws with one line where that fails. */
export function ensureCompiled() {
  if (isCompiled()) return
  console.log('Compiling (npm run compile) …')
  runNpm(['run', '--silent', 'compile'], 'npm run compile failed: see above')
}

function filesBelow(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
}
