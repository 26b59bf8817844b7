import { terminalText } from '@mayfly/common'
import { FileTrouble } from '../manifest/file-trouble.js'
import {
  writeSiteManifest,
  type ManifestOptions,
  type ManifestReport
} from '../manifest/site-manifest-file.js'
import { CommandError, fileTrouble } from './arguments.js'
import { manifestArguments } from './manifest-arguments.js'
import { hashingLine, megabytes } from './progress-bar.js'
import { say } from './terminal.js'

/** How often a terminal is told, in milliseconds. */
const SHOWN_EVERY_MS = 100

/** `mayfly manifest <folder>`: says which files may travel, and under which full hash. Gives the exit code. */
export async function manifestCommand(args: readonly string[]): Promise<number> {
  const { folder, options } = manifestArguments(args)
  const stopShowing = withProgress(options)
  try {
    const report = await writeSiteManifest(folder, stopShowing.options)
    stopShowing()
    process.stdout.write(summaryOf(report))
    if (report.differing > 0)
      say(
        `${report.differing} files of this manifest are not in the folder, or are others: bring them back as well`
      )
    return 0
  } catch (error) {
    stopShowing()
    if (error instanceof FileTrouble) throw new CommandError(`${error.path}: ${fileTrouble(error.cause)}`)
    throw new CommandError(`${folder}: ${fileTrouble(error)}`)
  }
}

/** One line for people and one word for programs: the file comes last. */
export function summaryOf(report: ManifestReport): string {
  const { files, bytes, siteBytes, readCount, isChanged, enabled, output } = report
  const share = siteBytes === undefined ? '' : ` of ${megabytes(siteBytes)} (${percent(bytes, siteBytes)} %)`
  const lines = [
    `${files} ${files === 1 ? 'file' : 'files'}, ${megabytes(bytes)} MB${share} may travel`,
    ...(siteBytes === undefined ? [] : [`${readCount} hashed, ${Math.max(files - readCount, 0)} unchanged`]),
    ...(enabled ? [] : ['switched off as a whole: nothing travels until --enable']),
    `${isChanged ? 'written' : 'unchanged'}: ${terminalText(output)}`
  ]
  return `${lines.join('\n')}\n`
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '0.0' : ((100 * part) / whole).toFixed(1)
}

/** Adds what is told while it runs: a line that is written over on a terminal, and files that were left out. */
function withProgress(options: ManifestOptions): (() => void) & { options: ManifestOptions } {
  const { stderr } = process
  let shownAt = 0
  const clear = (): void => {
    if (shownAt > 0) stderr.write('\r\x1b[K')
    shownAt = 0
  }
  const onprogress = (bytes: number, total: number): void => {
    const now = Date.now()
    if (!stderr.isTTY || now - shownAt < SHOWN_EVERY_MS) return
    shownAt = now
    stderr.write(`\r\x1b[K${hashingLine(bytes, total, stderr.columns)}`)
  }
  return Object.assign(clear, {
    options: {
      ...options,
      onprogress,
      onleftout: ({ path, reason }) => say(`${JSON.stringify(path)} is left out: ${reason}`)
    }
  } satisfies { options: ManifestOptions })
}
