import { parseArgs, type ParseArgsConfig } from 'node:util'
import { reasonOf } from '../error.js'

/** The caller's mistake: one line on standard error, exit 2. */
export class UsageError extends Error {}

/** What cannot be done: one line on standard error, exit 1. */
export class CommandError extends Error {}

/** `parseArgs` whose mistakes are `UsageError`s of one line. */
export function readArguments<Config extends ParseArgsConfig>(
  config: Config
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config)
  } catch (error) {
    // Node.js goes on with advice that fits no one line.
    throw new UsageError(reasonOf(error).split(/\n|\. /, 1)[0])
  }
}

/** Why a file cannot be used, without the path and the system call that Node.js names besides. */
export function fileTrouble(error: unknown): string {
  return reasonOf(error).replace(/^[A-Z]+: (.*?), \w+(?: '.*')?(?: -> '.*')?$/s, '$1')
}

/** Checks the addresses of mediators: at least one, each a WebSocket URL. */
export function mediatorUrls(values: readonly string[] | undefined): string[] {
  if (values === undefined || values.length === 0) throw new UsageError('--mediator <ws-url> is needed')
  for (const value of values) {
    const protocol = URL.canParse(value) ? new URL(value).protocol : ''
    if (protocol !== 'ws:' && protocol !== 'wss:') {
      throw new UsageError(`not a mediator's address: ${value} (ws://host:port or wss://host is expected)`)
    }
  }
  return [...values]
}
