import { checkAskedFiles } from './asked-files.js'
import { checkFile, sampleOf } from './check-file.js'
import { foundManifest } from './check-manifest.js'
import { checkMediators } from './check-mediators.js'
import { checkParts } from './check-parts.js'
import { checkTag } from './check-tag.js'
import { checkWorker } from './check-worker.js'
import type { Findings } from './finding.js'
import { foundPage } from './found-page.js'
import { systemResolver, type Resolver } from './resolved-hosts.js'

/** How a site is looked at. */
export interface CheckOptions {
  /** Files that are compared with the manifest, at most. */
  readonly files: number
  /** Whether visitors are sent to the page afterwards, who see what it asks for. */
  readonly isVisited?: boolean
  /** The folder of the scripts that belong to this command. Default: where they are built. */
  readonly bundles?: string
  readonly resolver?: Resolver
}

/** Looks at a live page as a browser would, and tells what stands in the way of Mayfly. Never rejects. */
export async function checkSite(
  address: URL,
  { files, isVisited = false, bundles, resolver = systemResolver }: CheckOptions,
  findings: Findings
): Promise<void> {
  const page = await foundPage(address, findings)
  if (page === undefined) return
  checkTag(page, findings)
  const scripts = await checkParts(page, bundles, findings)
  await checkMediators(page, resolver, findings)
  await checkWorker(page, scripts, { bundles, findings })
  const manifest = await foundManifest(page, findings)
  if (manifest === undefined) return
  const asked = await checkAskedFiles(page, { manifest, isVisited }, findings)
  for (const [path, file] of sampleOf(manifest, files, asked))
    await checkFile({ path, file, manifest, page }, findings)
}
