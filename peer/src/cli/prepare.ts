import { FileTrouble } from '../manifest/file-trouble.js'
import { rewriteFolder } from '../manifest/rewrite-folder.js'
import { writeSiteManifest } from '../manifest/site-manifest-file.js'
import { placeScripts } from '../manifest/site-scripts.js'
import { CommandError, fileTrouble, mediatorUrls, readArguments, UsageError } from './arguments.js'
import { summaryOf } from './manifest.js'
import { baseOf, oneFolder } from './manifest-arguments.js'
import { eagerImagesOf, rewritingSummaryOf } from './rewrite.js'
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
      sizes: { type: 'boolean' }
    }
  })
  const folder = oneFolder(positionals)
  const mediators = mediatorUrls(values.mediator)
  const base = baseOf(values['base-url'])
  const eagerImages = eagerImagesOf(values['eager-images'])
  if (base?.startsWith('/') === false)
    throw new UsageError('--base-url is a path here: a service worker is of the same site as its pages')
  const leave = ({ path, reason }: { path: string; reason: string }): void =>
    say(`${JSON.stringify(path)} is left out: ${reason}`)
  try {
    const { scripts, changed } = await placeScripts(folder)
    const report = await writeSiteManifest(folder, { base, onleftout: leave })
    const rewriting = await rewriteFolder(folder, {
      lazy: true,
      eagerImages,
      sizes: values.sizes,
      mediators,
      hasWorker: true,
      onleftout: leave
    })
    process.stdout.write(`${scripts} scripts, ${changed.length} changed\n`)
    process.stdout.write(summaryOf(report) + rewritingSummaryOf(rewriting))
    return 0
  } catch (error) {
    if (error instanceof FileTrouble) throw new CommandError(`${error.path}: ${fileTrouble(error.cause)}`)
    throw new CommandError(`${folder}: ${fileTrouble(error)}`)
  }
}
