// Compiles TypeScript, makes the test site and bundles what pages load. Run by `npm run compile`, compile.sh and compile.ps1.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs one of the installed programs; ends this process where it fails. */
async function run(...args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' })
  const status = await new Promise(resolve => child.on('close', resolve))
  if (status !== 0) process.exit(status ?? 1)
}

await run('node_modules/typescript/bin/tsc', '--build')
await Promise.all([run('preview/shop/build.mjs'), run('scripts/bundle.mjs', 'peer')])
await run('scripts/bundle.mjs', 'preview')
