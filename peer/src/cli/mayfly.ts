import { readFileSync } from 'node:fs'
import { reasonOf } from '../error.js'
import { UsageError } from './arguments.js'
import { checkCommand } from './check.js'
import { getCommand } from './get.js'
import { hashCommand } from './hash.js'
import { manifestCommand } from './manifest.js'
import { prepareCommand } from './prepare.js'
import { rewriteCommand } from './rewrite.js'
import { seedCommand } from './seed.js'
import { sidecarCommand } from './sidecar.js'
import { say } from './terminal.js'

const HELP = `Usage:
  mayfly hash <file…>
      prints the full hash of each file
  mayfly sidecar <file…>
      writes <file>.mayfly beside each: tree hashes, for a web server that has the file
  mayfly seed <file-or-folder…> --mediator <ws-url>…
      shares files until it is stopped; folders with all below them
  mayfly get <full-hash> --mediator <ws-url>… -o <file> [--timeout <seconds>]
      fetches and verifies a file, and goes on where it was stopped; gives up after 30 seconds
      without anyone who has it
  mayfly manifest <folder> [--base-url /assets/] [-o <file>] [--state <file>]
        [--scripts] [--styles] [--type ext=media/type]… [--off <path-or-glob>]… [--on <path-or-glob>]… [--rehash]
        [--pages | --no-pages]
      says which files of a site may travel, and under which full hash; remembers what was said before
  mayfly manifest <folder> --disable | --enable | --revoke <full-hash>… | --restore <full-hash>… | --rollback
      switches everything off or on, a hash off or on, or brings the previous manifest back, at once
  mayfly prepare <folder> --mediator <ws-url>… [--base-url /] [--eager-images 8] [--sizes]
        [--type ext=media/type]… [--no-tag <glob>]… [--inline] [--no-pages]
      makes a folder of static files one that its visitors carry: scripts, manifest, tags, full hashes, and lists of
      what each page shows first (mayfly-pages/)
  mayfly rewrite <folder> [--manifest <file>] [--base-url /] [--lazy [--eager-images 8]] [--sizes]
        [--no-tag <glob>]… [--dry-run] [--tag <ws-url>… [--script <url>] [--worker <url>]]
      adds full hashes to the elements of HTML documents, and the script tag where --tag asks for it
  mayfly check <url> [--files 32] [--visitors]
      tells what stands in the way on a live page; with --visitors, what a second visitor takes from
      a first, in Chromium or Chrome if it is there

Several --mediator are for fail-over. --help and --version print this and the version.
`

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  hash: hashCommand,
  sidecar: sidecarCommand,
  seed: seedCommand,
  get: getCommand,
  manifest: manifestCommand,
  prepare: prepareCommand,
  rewrite: rewriteCommand,
  check: checkCommand
}

/** The command line `mayfly`. Ends the process: 0 done, 1 could not be done, 2 wrong arguments. */
export async function main(argv: readonly string[]): Promise<never> {
  // A reader that closes its end, as `head` does, is no error of ours.
  process.stdout.on('error', () => process.exit(0))
  // Ended explicitly: the WebRTC of Node.js may crash when a process ends by itself.
  process.exit(await run(argv))
}

async function run([command, ...args]: readonly string[]): Promise<number> {
  try {
    if (command === undefined)
      throw new UsageError(`a command is needed: ${Object.keys(COMMANDS).join(', ')}`)
    const before = args.slice(0, args.includes('--') ? args.indexOf('--') : undefined)
    if (command === '--help' || command === '-h' || before.includes('--help')) process.stdout.write(HELP)
    else if (command === '--version') process.stdout.write(`${version()}\n`)
    else if (!Object.hasOwn(COMMANDS, command)) throw new UsageError(`there is no command ${command}`)
    else return (await COMMANDS[command]?.(args)) ?? 0
    return 0
  } catch (error) {
    const isUsage = error instanceof UsageError
    say(`${reasonOf(error)}${isUsage ? ' (mayfly --help tells more)' : ''}`)
    return isUsage ? 2 : 1
  }
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
