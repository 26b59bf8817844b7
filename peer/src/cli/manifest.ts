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
    for (const line of leftOutLines(report)) say(line)
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
  const { files, bytes, pageLists, site, readCount, isChanged, enabled, output } = report
  const counted = site === undefined ? `${files}` : `${files} of ${site.files}`
  const share =
    site === undefined
      ? `${megabytes(bytes)} MB`
      : `${megabytes(bytes)} of ${megabytes(site.bytes)} MB (${percent(bytes, site.bytes)} %)`
  const lines = [
    `${counted} ${(site?.files ?? files) === 1 ? 'file' : 'files'}, ${share} may travel`,
    ...(site === undefined ? [] : [`${readCount} hashed, ${Math.max(files - readCount, 0)} unchanged`]),
    ...(pageLists === 0 ? [] : [`${pageLists} page ${pageLists === 1 ? 'list' : 'lists'}`]),
    ...(enabled ? [] : ['switched off as a whole: nothing travels until --enable']),
    `${isChanged ? 'written' : 'unchanged'}: ${terminalText(output)}`
  ]
  return `${lines.join('\n')}\n`
}

/** What does not travel, and why: a line for each reason. */
export function leftOutLines({ leftOut }: ManifestReport): string[] {
  return leftOut.map(({ reason, files, bytes, examples }) => {
    const names = examples.map(({ path, bytes: length }) =>
      length === 0 ? JSON.stringify(path) : `${JSON.stringify(path)} (${kilobytes(length)} kB)`
    )
    const more = files > examples.length ? ', …' : ''
    const counted = `${files} ${files === 1 ? 'file' : 'files'}, ${kilobytes(bytes)} kB`
    return `left out: ${counted}: ${reason}: ${names.join(', ')}${more}`
  })
}

/** Never 100 where it is not all. */
function percent(part: number, whole: number): string {
  return whole === 0 ? '0.0' : (Math.floor((1_000 * part) / whole) / 10).toFixed(1)
}

function kilobytes(bytes: number): string {
  return (bytes / 1_000).toFixed(1)
}

/** Adds what is told while it runs: a line that is written over on a terminal. */
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
    options: { ...options, onprogress }
  } satisfies { options: ManifestOptions })
}
