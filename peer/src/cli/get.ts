import { resolve } from 'node:path'
import { isFullHash } from '@mayfly/common'
import { FileStore } from '../adapters/file-store.js'
import type { Download } from '../api.js'
import { MayflyError, reasonOf } from '../error.js'
import { NodeSession } from '../node/node-session.js'
import { CommandError, mediatorUrls, readArguments, UsageError } from './arguments.js'
import { checkOutput } from './output-file.js'
import { progressLine } from './progress-bar.js'
import { stopSignal } from './stop.js'

/** Seconds without anyone who has it, unless told otherwise. */
const DEFAULT_TIMEOUT_S = 30

/** `mayfly get <full-hash> -o <file>`: fetches, verifies, and only then gives the file its name. */
export async function getCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments({
    args: [...args],
    allowPositionals: true,
    options: {
      mediator: { type: 'string', multiple: true },
      output: { type: 'string', short: 'o' },
      timeout: { type: 'string' }
    }
  })
  const [fullHash, ...others] = positionals
  if (fullHash === undefined) throw new UsageError('no full hash is given')
  if (others.length > 0) throw new UsageError(`one full hash at a time, not also ${others[0] ?? ''}`)
  if (!isFullHash(fullHash))
    throw new UsageError(`not a full hash: ${fullHash} (64 lowercase hex digits are expected)`)
  if (values.output === undefined || values.output === '') throw new UsageError('-o <file> is needed')
  if (values.output === '-')
    throw new UsageError('-o needs a file: what is not verified as a whole is not given away')
  const timeoutMs = secondsOf(values.timeout) * 1000
  const urls = mediatorUrls(values.mediator)
  const target = resolve(values.output)
  await checkOutput(target)
  const file = new FileStore(target, fullHash)
  const stop = stopSignal()
  // Nobody finds this session by what it fetches: it leaves as soon as it has it.
  const session = await NodeSession.connect(urls, { share: false })
  let isHere = false
  try {
    const download = session.getInto(file, fullHash, { timeoutMs, signal: stop })
    const stopShowing = showProgress(download)
    await download.done.finally(stopShowing)
    isHere = true
    await file.commit()
    return 0
  } catch (error) {
    const reason = stop.aborted ? 'stopped before the file was complete' : sentenceOf(error, fullHash)
    await session.close()
    await file.close()
    if (!file.leftPart) throw new CommandError(reason)
    // With all of it here, the same would only end the same way.
    const left = isHere ? 'what was fetched is kept beside it' : 'the same command goes on where it stopped'
    throw new CommandError(`${reason}; ${left}`)
  } finally {
    await file.close()
    await session.close()
  }
}

function secondsOf(value: string | undefined): number {
  if (value === undefined) return DEFAULT_TIMEOUT_S
  const seconds = Number(value)
  if (!(seconds > 0 && Number.isFinite(seconds)) || value.trim() === '')
    throw new UsageError(`not a number of seconds: ${value}`)
  return seconds
}

function sentenceOf(error: unknown, fullHash: string): string {
  const short = `${fullHash.slice(0, 8)}…`
  if (error instanceof MayflyError) return `${short} could not be fetched: ${error.message}`
  return `${short} could not be fetched: ${reasonOf(error)}`
}

/** A line on a terminal that is written over; nothing where standard error is no terminal. */
function showProgress(download: Download): () => void {
  const { stderr } = process
  if (!stderr.isTTY) return () => {}
  const show = (): void => {
    stderr.write(`\r\x1b[K${progressLine(download.progress, stderr.columns)}`)
  }
  const timer = setInterval(show, 200)
  return () => {
    clearInterval(timer)
    if (download.progress.state === 'complete') show()
    stderr.write('\n')
  }
}
