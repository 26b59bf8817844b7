import { checkSite } from '../check/check-site.js'
import { readArguments, UsageError } from './arguments.js'
import { print } from './terminal.js'

/** Files that are compared with the manifest, unless told otherwise. */
const DEFAULT_FILES = 8

/** `mayfly check <url>`: tells what stands in the way on a live site. Gives the exit code: 1 where anything does. */
export async function checkCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments({
    args: [...args],
    allowPositionals: true,
    options: { files: { type: 'string' } }
  })
  const [address, other] = positionals
  if (address === undefined) throw new UsageError('no page is named')
  if (other !== undefined) throw new UsageError(`one page at a time, not also ${other}`)
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError(`not the address of a page: ${address} (https://… is expected)`)
  const files = values.files ?? String(DEFAULT_FILES)
  if (!/^\d{1,5}$/.test(files)) throw new UsageError(`not a number of files: ${files}`)
  let problems = 0
  const say = (word: string, text: string): void => {
    // One line each, whatever a server has put into its headers.
    print(`${word.padEnd(8)} ${text}`)
  }
  await checkSite(
    url,
    { files: Number(files) },
    {
      fine: text => say('fine', text),
      note: text => say('note', text),
      problem: text => {
        problems++
        say('problem', text)
        return undefined
      }
    }
  )
  say('', problems === 0 ? 'nothing stands in the way' : `${problems} in the way`)
  return problems === 0 ? 0 : 1
}
