import { isDocument } from '../manifest/document-file.js'
import { FileTrouble } from '../manifest/file-trouble.js'
import { rewriteFolder } from '../manifest/rewrite-folder.js'
import { writeSiteManifest } from '../manifest/site-manifest-file.js'
import { placeScripts } from '../manifest/site-scripts.js'
import { CommandError, fileTrouble, mediatorUrls, readArguments, UsageError } from './arguments.js'
import { leftOutLines, summaryOf } from './manifest.js'
import { baseOf, oneFolder, patternsOf, typeArguments } from './manifest-arguments.js'
import { eagerImagesOf, rewritingLines, rewritingSummaryOf } from './rewrite.js'
import { say } from './terminal.js'

/**
 * `mayfly prepare <folder>`: scripts, manifest, tags and full hashes in one go, for a folder of static files that is to be carried
 * by its visitors. Gives the exit code.
 */
export async function prepareCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments({
    args: [...args],
    allowPositionals: true,
    options: {
      mediator: { type: 'string', multiple: true },
      'base-url': { type: 'string' },
      'eager-images': { type: 'string' },
      sizes: { type: 'boolean' },
      type: { type: 'string', multiple: true },
      'no-type': { type: 'string', multiple: true },
      'no-tag': { type: 'string', multiple: true },
      inline: { type: 'boolean' },
      'no-pages': { type: 'boolean' }
    }
  })
  const folder = oneFolder(positionals)
  const mediators = mediatorUrls(values.mediator)
  const base = baseOf(values['base-url'])
  const eagerImages = eagerImagesOf(values['eager-images'])
  if (base?.startsWith('/') === false)
    throw new UsageError('--base-url is a path here: a service worker is of the same site as its pages')
  const named = typeArguments(values.type, values['no-type'])
  const noTag = patternsOf('no-tag', values['no-tag'])
  try {
    const { scripts, changed, loader } = await placeScripts(folder)
    const report = await writeSiteManifest(folder, { base, ...named, pages: values['no-pages'] !== true })
    const rewriting = await rewriteFolder(folder, {
      lazy: true,
      eagerImages,
      sizes: values.sizes,
      mediators,
      hasWorker: true,
      loader,
      inline: values.inline,
      noTag,
      onleftout: ({ path, reason }) => {
        // The manifest has said it of what is no document.
        if (isDocument(path)) say(`${JSON.stringify(path)} is left as it is: ${reason}`)
      }
    })
    process.stdout.write(`${scripts} scripts, ${changed.length} changed\n`)
    process.stdout.write(summaryOf(report) + rewritingSummaryOf(rewriting))
    for (const line of [...leftOutLines(report), ...rewritingLines(rewriting)]) say(line)
    return 0
  } catch (error) {
    if (error instanceof FileTrouble) throw new CommandError(`${error.path}: ${fileTrouble(error.cause)}`)
    throw new CommandError(`${folder}: ${fileTrouble(error)}`)
  }
}
