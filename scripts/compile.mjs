// Compiles TypeScript, makes the test site and bundles what pages load. Run by `npm run compile`, compile.sh and compile.ps1.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs one of the installed programs; ends this process where it fails. */
function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

run('node_modules/typescript/bin/tsc', '--build')
run('preview/shop/build.mjs')
run('scripts/bundle.mjs')
