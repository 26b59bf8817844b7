import { FileTrouble } from '../manifest/file-trouble.js'
import { rewriteFolder, type RewriteReport } from '../manifest/rewrite-folder.js'
import { CommandError, fileTrouble, mediatorUrls, readArguments, UsageError } from './arguments.js'
import { baseOf, oneFolder, patternsOf } from './manifest-arguments.js'
import { print, say } from './terminal.js'

/** `mayfly rewrite <folder>`: gives the elements of HTML documents the full hashes of a manifest. Gives the exit code. */
export async function rewriteCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments({
    args: [...args],
    allowPositionals: true,
    options: {
      manifest: { type: 'string' },
      'base-url': { type: 'string' },
      lazy: { type: 'boolean' },
      'eager-images': { type: 'string' },
      sizes: { type: 'boolean' },
      tag: { type: 'string', multiple: true },
      script: { type: 'string' },
      worker: { type: 'string' },
      'no-tag': { type: 'string', multiple: true },
      'dry-run': { type: 'boolean' }
    }
  })
  const folder = oneFolder(positionals)
  const { manifest, lazy, sizes, tag, script, worker } = values
  for (const [name, value] of Object.entries({ manifest, script, worker }))
    if (value === '') throw new UsageError(`--${name} needs a value`)
  if (tag === undefined && (script !== undefined || worker !== undefined))
    throw new UsageError('--script and --worker go with --tag <ws-url>')
  const eagerImages = eagerImagesOf(values['eager-images'])
  if (eagerImages !== undefined && lazy !== true) throw new UsageError('--eager-images goes with --lazy')
  const noTag = patternsOf('no-tag', values['no-tag'])
  const dryRun = values['dry-run'] === true
  try {
    const report = await rewriteFolder(folder, {
      manifest,
      base: baseOf(values['base-url']),
      lazy,
      eagerImages,
      sizes,
      mediators: tag === undefined ? undefined : mediatorUrls(tag),
      script,
      worker,
      noTag,
      dryRun,
      onleftout: ({ path, reason }) => say(`${JSON.stringify(path)} is left out: ${reason}`),
      onchange: path => print(`${dryRun ? 'would change' : 'changed'}: ${path}`)
    })
    process.stdout.write(rewritingSummaryOf(report, dryRun))
    for (const line of rewritingLines(report)) say(line)
    return 0
  } catch (error) {
    if (error instanceof UsageError) throw error
    if (error instanceof FileTrouble) throw new CommandError(`${error.path}: ${fileTrouble(error.cause)}`)
    throw new CommandError(`${folder}: ${fileTrouble(error)}`)
  }
}

/** One line for people. */
export function rewritingSummaryOf(report: RewriteReport, dryRun = false): string {
  const { documents, changed, added, updated, removed } = report
  const counted = documents === 1 ? '1 document' : `${documents} documents`
  return `${counted}, ${changed} ${dryRun ? 'to be changed' : 'changed'}; hashes: ${added} added, ${updated} updated, ${removed} removed\n`
}

/** Which images wait until they come near, and which pages have the loader beside them after all. */
export function rewritingLines({ images, inlineRefused }: RewriteReport): string[] {
  const { lazy, eager, several } = images
  const refused = inlineRefused.slice(0, 3).map(path => JSON.stringify(path))
  const more = inlineRefused.length > refused.length ? ', …' : ''
  return [
    ...(lazy + eager === 0
      ? []
      : [`images of pages that may travel: ${lazy} lazy, ${eager} at once; ${several} of them with srcset`]),
    ...(refused.length === 0
      ? []
      : [
          `their own policy refuses the loader in them: ${refused.join(', ')}${more} (${inlineRefused.length})`
        ])
  ]
}

/** How many images of a document stay as they are; undefined where nothing was said. Throws UsageError. */
export function eagerImagesOf(text: string | undefined): number | undefined {
  if (text !== undefined && !/^\d{1,6}$/.test(text))
    throw new UsageError(`not a number of images: ${text} (0 or more is expected)`)
  return text === undefined ? undefined : Number(text)
}
