// `npm run check`: format, lint, types, direction of imports, dead code. Everything is run, then it fails if anything did.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Each check: its name and the installed program that makes it. */
const CHECKS = [
  ['format', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
  ['lint', 'oxlint/bin/oxlint', '--type-aware', '--deny-warnings', '--quiet'],
  ['types', 'typescript/bin/tsc', '--build'],
  ['types of tests', 'typescript/bin/tsc', '-p', 'tsconfig.tests.json'],
  ['types of pages', 'typescript/bin/tsc', '-p', 'preview'],
  ['dead code', 'knip/bin/knip.js', '--no-progress', '--treat-config-hints-as-errors']
]

const failed = CHECKS.filter(check => !passes(...check)).map(([name]) => name)
if (!importsPointOneWay()) failed.push('direction of imports')
if (failed.length > 0) {
  console.error(`check: ${failed.join(', ')} failed`)
  process.exit(1)
}
console.error('check: format, lint, types, direction of imports and dead code are fine')

function passes(name, program, ...args) {
  const { status } = spawnSync(process.execPath, [`node_modules/${program}`, ...args], {
    cwd: root,
    stdio: 'inherit'
  })
  if (status !== 0) console.error(`check: ${name} failed`)
  return status === 0
}

/** dependency-cruiser exits with 0 also where it found nothing to look at. */
function importsPointOneWay() {
  const places = ['common/src', 'mediator/src', 'peer/src', 'preview/src']
  const args = [
    'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
    ...places,
    '--output-type',
    'json'
  ]
  const { stdout, status, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024
  })
  try {
    const { summary } = JSON.parse(stdout)
    for (const { rule, from, to } of summary.violations) console.error(`${rule.name}: ${from} → ${to}`)
    if (summary.totalCruised < 50) console.error(`only ${summary.totalCruised} modules were looked at`)
    return status === 0 && summary.error === 0 && summary.totalCruised >= 50
  } catch {
    console.error(stderr)
    return false
  }
}
