// `npm test`: installs and compiles what is missing, then all checks and tests, every kind once.
// `npm run test:all` (--all): also what takes long. Ends with `N passed, N failed`.
// Imports nothing that is not there before the installation.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ensureInstalled, runNpm } from './install.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const all = process.argv.includes('--all')

/** What has @long in its title runs with --all only. */
const LONG = '@long'

/** Each kind of test: its name, the folders and files that hold it, and what in them is another kind. */
const CORE = {
  name: 'core, contracts, vectors, servers',
  places: ['common/test', 'preview/test', 'peer/test', 'mediator/test', 'test/bench'],
  but: ['mediator/test/conformance']
}
const CONFORMANCE = {
  name: 'the protocol, against a client that shares no code',
  places: ['mediator/test/conformance']
}
const INTEGRATION = { name: 'integration', places: ['test/integration'] }

/** Pages in browsers that are slow enough on a busy machine to tell something else than the tests ask for. */
const HURRIED = pages('what a page waits for', ['clock', 'held', 'policies', 'back-forward'])
/** Those of the test site, and of the whole library. */
const PREVIEW = pages('the pages of `npm start`, and the whole library', [
  'absence',
  'display',
  'keyboard',
  'load',
  'node-to-page',
  'opened-as-file',
  'playing',
  'shop',
  'start',
  'transfer',
  'trouble'
])
/** Half of the others, by the time that they take. */
const TAG = pages('the script tag, and what it streams', [
  'ahead',
  'hls',
  'local-network',
  'requests',
  'script-tag',
  'streams'
])
/** And all that stand in no list. */
const OTHERS = {
  name: 'pages in browsers, all others',
  places: ['test/browser'],
  but: [HURRIED, PREVIEW, TAG].flatMap(({ places }) => places)
}
const BROWSERS = { name: 'pages in browsers', places: ['test/browser'] }

/**
 * What runs one after the other; each is rows that run at the same time, as much of them waits: the first is shown as it runs,
 * others behind it. The long run has time: what of it a busy machine would delay runs alone.
 */
const STAGES = all
  ? [[[CORE], [CONFORMANCE]], [[INTEGRATION]], [[BROWSERS]]]
  : [
      [[CORE], [INTEGRATION, PREVIEW]],
      [[TAG], [OTHERS]],
      [[HURRIED], [CONFORMANCE]]
    ]

let passed = 0
let failed = 0

try {
  ensureInstalled()
  const { ensureChromium } = await import('./chromium.mjs')
  const { ensureFirefox } = await import('./firefox.mjs')
  const browsers = {
    CHROMIUM_PATH: await ensureChromium(),
    ...(all && { FIREFOX_PATH: await ensureFirefox() })
  }
  runNpm(['run', '--silent', 'compile'], 'npm run compile failed: see above')
  await step('check', ['scripts/check.mjs'])
  await step('size of the page bundle', ['node_modules/size-limit/bin.js'])
  for (const [first, ...others] of STAGES) {
    const shown = row(first, browsers)
    await Promise.all([shown, ...others.map(other => row(other, browsers, shown))])
  }
} catch (error) {
  console.error(`npm test: ${error.message}`)
  failed++
}
console.log(`\n${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

/** Files of browser tests as a kind of their own, by their names. */
function pages(name, files) {
  return { name: `pages in browsers: ${name}`, places: files.map(file => `test/browser/${file}.test.ts`) }
}

/** Something that passes or fails as a whole. */
async function step(name, args) {
  console.log(`\n── ${name}`)
  if ((await run(args)).code === 0) passed++
  else failed++
}

/** Kinds of tests, one after the other; shown as they run, or when what they wait for is over. */
async function row(kinds, browsers, shownAfter) {
  const shown = []
  for (const kind of kinds) {
    const heading = `\n── ${kind.name}`
    if (!shownAfter) console.log(heading)
    shown.push(`${heading}\n${await suite(kind, browsers, shownAfter !== undefined)}`)
  }
  if (!shownAfter) return
  await shownAfter
  for (const text of shown) console.log(text)
}

/** One run of mocha. A run that ends without its closing lines has failed. Gives what it printed. */
async function suite({ name, places, but = [] }, browsers, isSilent) {
  const filter = all ? [] : ['--grep', LONG, '--invert']
  const files = places.map(place => (isFile(place) ? place : `${place}/**/*.test.ts`))
  const ignored = but.flatMap(place => ['--ignore', isFile(place) ? place : `${place}/**`])
  const mocha = ['node_modules/mocha/bin/mocha.js', ...filter, ...ignored, ...files]
  const { code, output } = await run(mocha, browsers, isSilent)
  const count = word => Number(new RegExp(`^ *(\\d+) ${word}`, 'm').exec(output)?.[1] ?? 0)
  passed += count('passing')
  failed += count('failing')
  if (code !== 0 && count('failing') === 0) {
    console.error(`${name}: mocha ended with ${code}`)
    failed++
  } else if (count('passing') === 0) {
    console.error(`${name}: no test was run`)
    failed++
  }
  return output
}

function isFile(place) {
  return place.endsWith('.ts')
}

/** Runs a program of ours, shown as it runs unless another one is. */
function run(args, env = {}, isSilent = false) {
  return new Promise(resolve => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit']
    })
    let output = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', text => {
      if (!isSilent) process.stdout.write(text)
      // The closing lines are all that is read of it.
      output = (output + text).slice(-1_000_000)
    })
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output }))
  })
}
