// `npm run bench -- <name>`: installs and compiles what is missing, and runs one bench of bench/.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { MANNERS } from '../bench/shop/manners.mjs'
import { ensureCompiled } from './compiled.mjs'
import { ensureInstalled, runNpm } from './install.mjs'

const BENCHES = {
  transfer: '16 and 64 MiB from page to page, verified',
  latency: 'the first and the second 50 KB, from the opening of the WebSocket',
  swarm: '64 MiB to 20 peers at once, over emulated uplinks of 5 Mbit/s',
  page: 'visits of a shop that is carried by the script tag, with it and without it, whatever its other visitors do',
  site: 'three sites of others, made ready by one command: what visitors who were there before save of a visit',
  gallery: 'a page with 60 images by the whole library, with us and without us, whatever its peers do',
  memory: 'what Chromium needs while 256 MiB and 1 GiB go through a page (Linux)',
  bytes: 'what the script tag sends to connect and for an object, beside what Maygh counted (needs openssl)',
  yield: 'what an upload adds to the delays of others on its uplink (mayfly only; needs Linux and root)',
  'first-message':
    'how often Chromium loses the first message of who answers a connection, on a busy machine (nothing of Mayfly)'
}
/** Benches that take `--wan`, and the profiles of bench/wan/ that each can name. */
const PROFILES = {
  latency: ['cable', 'dsl'],
  page: ['lan', 'cable', 'dsl'],
  site: ['lan', 'cable', 'dsl'],
  gallery: ['lan', 'cable'],
  yield: ['cable', 'dsl']
}
const HELP = `npm run bench -- <name> [options]

${Object.entries(BENCHES)
  .map(([name, what]) => `  ${name.padEnd(22)}${what}`)
  .join('\n')}

Every contender runs in the same run, in turn. Emulated networks, which swarm, page and gallery always use, need Linux and root.

  --json <file>         writes the measurements: [{ measure, contender, value, unit, samples }]; page and gallery also write what they
                        have so far, so that it is not lost where they are ended
  --append              keeps what that file has of other measures, so that runs of single networks come together in it
  --rounds <number>     how often every contender runs; gallery: pairs of loads in each network; page: rounds
  --quick               as few rounds as show that it works, too few to rely on
  --wan <profile>       over an emulated network: latency over cable or dsl, page and gallery over lan, cable and so on (default: all)
  --manners <a,b>       page: only these manners of other visitors: ${Object.keys(MANNERS).join(', ')}
  --output <file>       bytes: writes the table as an object that says what each number is, for a simulation
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

async function bench({ help, name, json, append, output, rounds, quick, wan, manners }) {
  if (help) {
    console.log(HELP)
    return 0
  }
  const kept = append ? measurementsIn(json) : []
  const keep = measurements => {
    if (json !== undefined)
      write(json, [...kept.filter(other => !isIn(measurements, other)), ...measurements])
  }
  // Tried first: nobody wants to learn after the last round that the file cannot be written.
  keep([])
  if (output !== undefined) write(output, {})
  ensureInstalled()
  ensureBenchInstalled()
  ensureCompiled()
  const { run, usualRounds, quickRounds = 1 } = await import(`../bench/${name}.mjs`)
  const progress = line => console.error(line)
  const part = ({ measurements, text }) => {
    keep(measurements)
    if (text !== undefined) console.log(`${text}\n`)
  }
  const { measurements, text, missed, figures } = await run({
    rounds: rounds ?? (quick ? quickRounds : usualRounds),
    wan,
    manners,
    progress,
    part
  })
  keep(measurements)
  if (output !== undefined) write(output, figures)
  console.log(`${text}\n\nNode.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}`)
  if (missed !== undefined) console.error(`npm run bench: goal missed: ${missed}`)
  return missed === undefined ? 0 : 1
}

function settingsOf(args) {
  const text = { type: 'string' }
  const flag = { type: 'boolean' }
  const options = {
    json: text,
    append: flag,
    output: text,
    rounds: text,
    wan: text,
    manners: text,
    quick: flag,
    help: flag
  }
  let parsed
  try {
    parsed = parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error.message.split('\n', 1)[0])
  }
  const { values, positionals } = parsed
  const { help = false, quick = false, append = false, json, output } = values
  if (help) return { help }
  const names = Object.keys(BENCHES).join(', ')
  if (positionals.length !== 1) throw new UsageError(`name one bench: ${names}`)
  const [name] = positionals
  if (!Object.hasOwn(BENCHES, name)) throw new UsageError(`there is no bench "${name}", only: ${names}`)
  if (append && json === undefined) throw new UsageError('--append is for --json only')
  if (output !== undefined && name !== 'bytes') throw new UsageError('--output is for bytes only')
  if (values.manners !== undefined && name !== 'page') throw new UsageError('--manners is for page only')
  return {
    help,
    name,
    json,
    append,
    output,
    quick,
    rounds: numberOf('rounds', values.rounds, 1),
    wan: profileOf(name, values.wan),
    manners: mannersOf(values.manners)
  }
}

function profileOf(name, profile) {
  if (profile === undefined) return undefined
  const profiles = PROFILES[name]
  if (profiles === undefined) throw new UsageError(`--wan is for ${Object.keys(PROFILES).join(' and ')} only`)
  if (!profiles.includes(profile)) throw new UsageError(`--wan is ${profiles.join(' or ')}, not "${profile}"`)
  return profile
}

function mannersOf(text) {
  if (text === undefined) return undefined
  const manners = text.split(',')
  for (const manner of manners)
    if (!Object.hasOwn(MANNERS, manner))
      throw new UsageError(`--manners has ${Object.keys(MANNERS).join(', ')}, not "${manner}"`)
  return [...new Set(manners)]
}

function numberOf(option, text, least) {
  if (text === undefined) return undefined
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < least || number > MAX_ROUNDS)
    throw new UsageError(`--${option} is no number from ${least} to ${MAX_ROUNDS}: ${text}`)
  return number
}

/** What a file of an earlier run has; nothing where there is none. */
function measurementsIn(file) {
  if (!existsSync(file)) return []
  try {
    const measurements = JSON.parse(readFileSync(file, 'utf8'))
    if (Array.isArray(measurements)) return measurements
  } catch {
    // Told below.
  }
  throw new Error(`${file} has no measurements to append to`)
}

function isIn(measurements, { measure, contender }) {
  return measurements.some(other => other.measure === measure && other.contender === contender)
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

function write(file, value) {
  try {
    writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`)
  } catch (error) {
    throw new Error(`cannot write ${file}: ${error.message}`, { cause: error })
  }
}
