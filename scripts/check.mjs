// `npm run check`: format, lint, types, direction of imports, dead code. Everything is run, then it fails if anything did.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Checks that run one after the other, beside the other rows: each its name and the installed program that makes it. */
const ROWS = [
  [
    ['types', 'typescript/bin/tsc', '--build'],
    ['types of tests', 'typescript/bin/tsc', '-p', 'tsconfig.tests.json'],
    ['types of pages', 'typescript/bin/tsc', '-p', 'preview'],
    ['dead code', 'knip/bin/knip.js', '--no-progress', '--treat-config-hints-as-errors']
  ],
  [
    ['format', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
    ['lint', 'oxlint/bin/oxlint', '--type-aware', '--deny-warnings', '--quiet']
  ]
]

const failed = []
await Promise.all([
  ...ROWS.map(async row => {
    for (const [name, program, ...args] of row) if (!(await passes(name, program, args))) failed.push(name)
  }),
  importsPointOneWay().then(isSo => isSo || failed.push('direction of imports'))
])
if (failed.length > 0) {
  console.error(`check: ${failed.join(', ')} failed`)
  process.exit(1)
}
console.error('check: format, lint, types, direction of imports and dead code are fine')

/** What a program complains about is shown when it has ended, so that two do not mix. */
async function passes(name, program, args) {
  const { status, stdout, stderr } = await run([`node_modules/${program}`, ...args])
  if (status === 0) return true
  console.error(`${stdout}${stderr}check: ${name} failed`)
  return false
}

/** dependency-cruiser exits with 0 also where it found nothing to look at. */
async function importsPointOneWay() {
  const places = ['common/src', 'mediator/src', 'peer/src', 'preview/src']
  const program = 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'
  const { status, stdout, stderr } = await run([program, ...places, '--output-type', 'json'])
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

/** Runs a program of those that are installed. Gives what it printed. */
function run(args) {
  return new Promise(resolve => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    const printed = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'])
      child[name].setEncoding('utf8').on('data', text => (printed[name] += text))
    child.on('close', status => resolve({ status, ...printed }))
  })
}
