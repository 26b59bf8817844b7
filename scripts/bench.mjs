// `npm run bench -- <name>`: installs and compiles what is missing, and runs one bench of bench/.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { ensureCompiled } from './compiled.mjs'
import { ensureInstalled, runNpm } from './install.mjs'

const BENCHES = {
  transfer: '16 and 64 MiB from page to page, verified',
  latency: 'the first and the second 50 KB, from the opening of the WebSocket',
  swarm: '64 MiB to 20 peers at once, over emulated uplinks of 5 Mbit/s',
  page: 'a shop that is carried by the script tag, with it and without it, whatever its visitors do',
  gallery: 'a page with 60 images by the whole library, with us and without us, whatever its peers do',
  memory: 'what Chromium needs while 256 MiB and 1 GiB go through a page (Linux)',
  bytes: 'what the script tag sends to connect and for an object, beside what Maygh counted (needs openssl)',
  yield: 'what an upload adds to the delays of others on its uplink (mayfly only; needs Linux and root)'
}
/** Benches that take `--wan`, and the profiles of bench/wan/ that each can name. */
const PROFILES = {
  latency: ['cable', 'dsl'],
  page: ['lan', 'cable', 'dsl'],
  gallery: ['lan', 'cable'],
  yield: ['cable', 'dsl']
}
const HELP = `npm run bench -- <name> [options]

${Object.entries(BENCHES)
  .map(([name, what]) => `  ${name.padEnd(22)}${what}`)
  .join('\n')}

Every contender runs in the same run, in turn. Emulated networks, which swarm, page and gallery always use, need Linux and root.

  --json <file>         writes the measurements: [{ measure, contender, value, unit, samples }]
  --rounds <number>     how often every contender runs; page and gallery: pairs of loads in each network
  --quick               as few rounds as show that it works, too few to rely on
  --wan <profile>       over an emulated network: latency over cable or dsl, page and gallery over lan, cable and so on (default: all)
  --help                shows this

Exit: 0, 1 where it failed or a goal was missed, 2 where the command line is wrong.`

/** More is a mistake. */
const MAX_ROUNDS = 10_000
const PACKAGES = new URL('../bench/', import.meta.url)

class UsageError extends Error {}

try {
  process.exit(await bench(settingsOf(process.argv.slice(2))))
} catch (error) {
  console.error(`npm run bench: ${error.message}`)
  process.exit(error instanceof UsageError ? 2 : 1)
}

async function bench({ help, name, json, rounds, quick, wan }) {
  if (help) {
    console.log(HELP)
    return 0
  }
  // Tried first: nobody wants to learn after the last round that the file cannot be written.
  if (json !== undefined) write(json, [])
  ensureInstalled()
  ensureBenchInstalled()
  ensureCompiled()
  const { run, usualRounds, quickRounds = 1 } = await import(`../bench/${name}.mjs`)
  const progress = line => console.error(line)
  const { measurements, text, missed } = await run({
    rounds: rounds ?? (quick ? quickRounds : usualRounds),
    wan,
    progress
  })
  if (json !== undefined) write(json, measurements)
  console.log(`${text}\n\nNode.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}`)
  if (missed !== undefined) console.error(`npm run bench: goal missed: ${missed}`)
  return missed === undefined ? 0 : 1
}

function settingsOf(args) {
  const text = { type: 'string' }
  const flag = { type: 'boolean' }
  const options = { json: text, rounds: text, wan: text, quick: flag, help: flag }
  let parsed
  try {
    parsed = parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error.message.split('\n', 1)[0])
  }
  const { values, positionals } = parsed
  const { help = false, quick = false, json } = values
  if (help) return { help }
  const names = Object.keys(BENCHES).join(', ')
  if (positionals.length !== 1) throw new UsageError(`name one bench: ${names}`)
  const [name] = positionals
  if (!Object.hasOwn(BENCHES, name)) throw new UsageError(`there is no bench "${name}", only: ${names}`)
  return { help, name, json, quick, rounds: roundsOf(values.rounds), wan: profileOf(name, values.wan) }
}

function profileOf(name, profile) {
  if (profile === undefined) return undefined
  const profiles = PROFILES[name]
  if (profiles === undefined) throw new UsageError(`--wan is for ${Object.keys(PROFILES).join(' and ')} only`)
  if (!profiles.includes(profile)) throw new UsageError(`--wan is ${profiles.join(' or ')}, not "${profile}"`)
  return profile
}

function roundsOf(text) {
  if (text === undefined) return undefined
  const rounds = Number(text)
  if (!/^\d+$/.test(text) || rounds < 1 || rounds > MAX_ROUNDS)
    throw new UsageError(`--rounds is no number from 1 to ${MAX_ROUNDS}: ${text}`)
  return rounds
}

/** bench/ has packages of its own, so that what is only compared with is never installed by users. */
function ensureBenchInstalled() {
  const { dependencies = {} } = JSON.parse(readFileSync(new URL('package.json', PACKAGES), 'utf8'))
  const isThere = ([name, version]) => {
    const installed = new URL(`node_modules/${name}/package.json`, PACKAGES)
    return existsSync(installed) && JSON.parse(readFileSync(installed, 'utf8')).version === version
  }
  if (Object.entries(dependencies).every(isThere)) return
  console.error('Installing packages of the benches (npm ci) …')
  const args = ['ci', '--ignore-scripts', '--prefix', 'bench', '--no-audit', '--no-fund', '--loglevel=error']
  runNpm(args, 'npm ci in bench/ failed: see above')
}

function write(file, measurements) {
  try {
    writeFileSync(file, `${JSON.stringify(measurements, undefined, 2)}\n`)
  } catch (error) {
    throw new Error(`cannot write ${file}: ${error.message}`, { cause: error })
  }
}
