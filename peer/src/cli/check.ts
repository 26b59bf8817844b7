import { checkSite } from '../check/check-site.js'
import { checkVisitors } from '../check/check-visitors.js'
import { installedBrowser } from '../check/installed-browser.js'
import { readArguments, UsageError } from './arguments.js'
import { stopSignal } from './stop.js'
import { print } from './terminal.js'

/** Files that are compared with the manifest, unless told otherwise. */
const DEFAULT_FILES = 32

/** Longer lines are of a server that wants to be read. */
const MAX_LINE_LENGTH = 1_000

const NO_BROWSER =
  'no browser for --visitors: install Chromium or Chrome, or name its program in the variable CHROMIUM_PATH'

/** `mayfly check <url>`: tells what stands in the way on a live site. Gives the exit code: 1 where anything does. */
export async function checkCommand(args: readonly string[]): Promise<number> {
  const { url, files, visitors } = checkArguments(args)
  let problems = 0
  const findings = {
    fine: (text: string) => say('fine', text),
    note: (text: string) => say('note', text),
    problem: (text: string) => {
      problems++
      say('problem', text)
      return undefined
    }
  }
  await checkSite(url, { files, isVisited: visitors }, findings)
  if (visitors) {
    const program = await installedBrowser()
    if (program === undefined) findings.problem(NO_BROWSER)
    else await checkVisitors(url, { program, signal: stopSignal() }, findings)
  }
  say('', problems === 0 ? 'nothing stands in the way' : `${problems} in the way`)
  return problems === 0 ? 0 : 1
}

function checkArguments(args: readonly string[]): { url: URL; files: number; visitors: boolean } {
  const { values, positionals } = readArguments({
    args: [...args],
    allowPositionals: true,
    options: { files: { type: 'string' }, visitors: { type: 'boolean' } }
  })
  const [address, other] = positionals
  if (address === undefined) throw new UsageError('no page is named')
  if (other !== undefined) throw new UsageError(`one page at a time, not also ${other}`)
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError(`not the address of a page: ${address} (https://… is expected)`)
  const files = values.files ?? String(DEFAULT_FILES)
  if (!/^\d{1,5}$/.test(files)) throw new UsageError(`not a number of files: ${files}`)
  return { url, files: Number(files), visitors: values.visitors === true }
}

/** One line, whatever a server has put into its headers and pages. */
function say(word: string, text: string): void {
  print(`${word.padEnd(8)} ${text.slice(0, MAX_LINE_LENGTH)}`)
}
