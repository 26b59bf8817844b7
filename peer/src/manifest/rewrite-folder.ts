import { lstat } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { HtmlTooLarge } from '../adapters/html-document.js'
import { addressOf, type SiteManifest } from '../core/site-manifest.js'
import { isDocument, readDocument } from './document-file.js'
import { troubleWith } from './file-trouble.js'
import { folderFiles, type FolderFile, type LeftOut } from './folder-files.js'
import { imageSizes } from './image-sizes.js'
import { SOME_SITE, writtenBase } from './manifest-json.js'
import { readManifest } from './manifest-state.js'
import { matcherOf } from './path-pattern.js'
import {
  rewriteDocument,
  type ImageCounts,
  type Rewritten,
  type RewritingOptions,
  type WantedTag
} from './rewrite-document.js'
import { inlineTag, integrityOf, scriptTag } from './script-tag.js'
import { MANIFEST_NAME } from './site-manifest-file.js'
import { writeWhole } from './write-whole.js'

/** What is done to the documents of a folder. */
export interface RewriteOptions {
  /** The manifest's file. Default: `mayfly-manifest.json` in the folder. */
  readonly manifest?: string | undefined
  /** Where the folder is on the site. Default: the manifest's base where it is in the folder itself, otherwise `/`. */
  readonly base?: string | undefined
  readonly lazy?: boolean | undefined
  /** Images at the beginning of a document that do not become lazy. Default: 8. */
  readonly eagerImages?: number | undefined
  /** Whether images get `width` and `height` where they have neither. */
  readonly sizes?: boolean | undefined
  /** Mediators of the script tag that documents are to have. */
  readonly mediators?: readonly string[] | undefined
  /** URLs in that tag. Default: `mayfly.js` at the base, and no service worker. */
  readonly script?: string | undefined
  readonly worker?: string | undefined
  /** The service worker lies beside the script at the base; instead of `worker`. */
  readonly hasWorker?: boolean | undefined
  /** The loader, as it lies at `script`: its hash is put into the tag. */
  readonly loader?: string | undefined
  /** Puts the loader itself into pages whose policy lets it run there. */
  readonly inline?: boolean | undefined
  /** Patterns of documents that are to have no tag. */
  readonly noTag?: readonly string[] | undefined
  /** Writes nothing. */
  readonly dryRun?: boolean | undefined
  readonly onleftout?: (file: LeftOut) => void
  /** A document that is (or would be) written. */
  readonly onchange?: (path: string) => void
}

/** What has become of them. Counts of documents, then of attributes, then of images that may travel. */
export interface RewriteReport {
  readonly documents: number
  readonly changed: number
  readonly added: number
  readonly updated: number
  readonly removed: number
  readonly images: ImageCounts
  /** Pages whose own policy refuses the loader in them. */
  readonly inlineRefused: readonly string[]
}

/** Rewrites the documents below a folder. Rejects where there is no manifest, or a document cannot be read or written. */
export async function rewriteFolder(folder: string, options: RewriteOptions): Promise<RewriteReport> {
  const root = resolve(folder)
  const files = await folderFiles(root, options.onleftout ?? (() => {}))
  const place = resolve(options.manifest ?? join(root, MANIFEST_NAME))
  const base = options.base ?? (await baseFor(root, place))
  const at = new URL(base, SOME_SITE).href
  const manifest = await manifestAt(place, at)
  const sizes = options.sizes === true ? await imageSizes(place, manifest) : undefined
  const tag = tagFor(options, base, relative(root, place).split(sep).join('/'))
  const withoutTag = (options.noTag ?? []).map(matcherOf)
  const rewriting = { manifest, lazy: options.lazy === true, eagerImages: options.eagerImages, sizes }
  const report = { documents: 0, changed: 0, added: 0, updated: 0, removed: 0 }
  const images = { lazy: 0, eager: 0, several: 0 }
  const inlineRefused: string[] = []
  for (const file of files.filter(({ path }) => isDocument(path))) {
    report.documents++
    const { path } = file
    const rewritten = await rewrittenFile(file, {
      ...rewriting,
      url: addressOf({ base: at }, path),
      tag: tag && { ...tag, isUnwanted: withoutTag.some(matches => matches(path)) }
    }).catch(troubleWith(path))
    if (typeof rewritten === 'string') {
      options.onleftout?.({ path, reason: rewritten })
      continue
    }
    for (const kind of ['added', 'updated', 'removed'] as const) report[kind] += rewritten[kind]
    for (const kind of ['lazy', 'eager', 'several'] as const) images[kind] += rewritten.images[kind]
    if (rewritten.isInlineRefused) inlineRefused.push(path)
    if (!rewritten.isChanged) continue
    report.changed++
    options.onchange?.(path)
    if (options.dryRun === true) continue
    const { mode } = await lstat(file.place)
    await writeWhole(file.place, rewritten.content, mode & 0o7777).catch(troubleWith(path))
  }
  return { ...report, images, inlineRefused }
}

/** A document as it is to be. A text instead says why it is left as it is. */
async function rewrittenFile(
  file: FolderFile,
  options: RewritingOptions
): Promise<(Rewritten & { readonly isChanged: boolean; readonly content: Buffer }) | string> {
  const document = await readDocument(file)
  if (typeof document === 'string') return document
  const { text, encoding } = document
  try {
    const rewritten = rewriteDocument(text, { ...options, isAsciiOnly: encoding === 'latin1' })
    const content = Buffer.from(rewritten.text, encoding)
    return { ...rewritten, isChanged: rewritten.text !== text, content }
  } catch (error) {
    if (error instanceof HtmlTooLarge) return error.message
    throw error
  }
}

async function manifestAt(place: string, at: string): Promise<SiteManifest> {
  const manifest = await readManifest(place, at).catch(troubleWith(place))
  return manifest ?? troubleWith(place)(new Error('there is no manifest; `mayfly manifest` makes one'))
}

/** A manifest that lies in the folder itself says where the folder is. */
async function baseFor(root: string, place: string): Promise<string> {
  return resolve(place, '..') === root ? writtenBase(await manifestAt(place, SOME_SITE)) : '/'
}

function tagFor(
  { mediators, script, worker, hasWorker, loader, inline }: RewriteOptions,
  base: string,
  manifest: string
): WantedTag | undefined {
  if (mediators === undefined || mediators.length === 0) return undefined
  const isBelow = !manifest.startsWith('../')
  const attributes = {
    script: script ?? `${base}mayfly.js`,
    mediators,
    manifest: isBelow ? addressOf({ base }, manifest) : `/${MANIFEST_NAME}`,
    worker: worker ?? (hasWorker === true ? `${base}mayfly-worker.js` : undefined),
    integrity: loader === undefined ? undefined : integrityOf(loader)
  }
  const isInline = inline === true && loader !== undefined
  return {
    external: scriptTag(attributes),
    inline: isInline ? inlineTag(attributes, loader) : undefined
  }
}
