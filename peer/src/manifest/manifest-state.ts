import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isFullHash, type FullHash } from '@mayfly/common'
import {
  MAX_MANIFEST_ENTRIES,
  MAX_MANIFEST_LENGTH,
  MAX_SECTION_LENGTH,
  parseManifest,
  type SiteFile,
  type SiteManifest
} from '../core/site-manifest.js'
import { troubleWith } from './file-trouble.js'
import { typesOf } from './file-types.js'
import { wholeManifest } from './manifest-sections.js'
import { filesToJson, SOME_SITE, writtenBase, type Deployment } from './manifest-json.js'

/** Deployments that a rollback can bring back. */
export const MAX_HISTORY = 5

/** But not of more files than these in all, the latest always. */
const MAX_HISTORY_FILES = 250_000

/** No state is longer: below what Node.js has as one text. */
const MAX_STATE_BYTES = 402_653_184

/** A file that was hashed, and how it looked then. */
export interface HashedFile {
  /** Size, times of its last change and of its status, and number of its inode, as text. */
  readonly look: string
  readonly fullHash: FullHash
  readonly sha256: string
}

/** What is remembered from run to run, in a file beside the manifest that does not travel. */
export interface ManifestState {
  readonly base: string
  readonly scripts: boolean
  readonly styles: boolean
  /** Types of endings that the site has named. */
  readonly types: Readonly<Record<string, string>>
  /** Patterns as they were given: they go on for files that come later. */
  readonly off: readonly string[]
  readonly revoked: readonly string[]
  readonly enabled: boolean
  readonly hashed: ReadonlyMap<string, HashedFile>
  /** Former deployments, the latest at the end. */
  readonly history: readonly Deployment[]
}

const NOTHING: ManifestState = {
  base: '/',
  scripts: false,
  styles: false,
  types: {},
  off: [],
  revoked: [],
  enabled: true,
  hashed: new Map(),
  history: []
}

/** Where the state of a manifest is unless told otherwise: a dotfile, which no file of a site is. */
export function stateFileOf(manifestFile: string): string {
  return join(dirname(manifestFile), `.${basename(manifestFile)}.state`)
}

/** The manifest in a file, with its sections beside it; undefined where there is no file. Rejects where one of them is none. */
export async function readManifest(file: string, at = SOME_SITE): Promise<SiteManifest | undefined> {
  const text = await readText(file, 4 * MAX_MANIFEST_LENGTH)
  if (text === undefined) return undefined
  const manifest = parseManifest(text, at)
  if (manifest === undefined) throw new Error('it is not a manifest')
  return await wholeManifest(manifest, async url => {
    const section = join(dirname(file), basename(new URL(url).pathname))
    return (
      (await readText(section, 4 * MAX_SECTION_LENGTH)) ?? troubleWith(section)(new Error('it is missing'))
    )
  })
}

/**
 * The state in a file. Where there is none, what the manifest itself says is still switched off is taken over: a
 * folder that lost its state must not switch on again what was switched off.
 */
export async function readState(file: string, manifest: SiteManifest | undefined): Promise<ManifestState> {
  const text = await readText(file, MAX_STATE_BYTES)
  if (text !== undefined) return decodeState(text)
  if (manifest === undefined) return NOTHING
  const { off, revoked, enabled } = manifest
  return { ...NOTHING, base: writtenBase(manifest), off: [...off], revoked: [...revoked], enabled }
}

/** The text of a state file. */
export function encodeState({ hashed, history, ...rest }: ManifestState): string {
  const value = {
    version: 1,
    ...rest,
    hashed: Object.fromEntries(hashed),
    history: bounded(history).map(({ base, files }) => ({ base, files: filesToJson(files) }))
  }
  return `${JSON.stringify(value)}\n`
}

/** The latest deployments that can be remembered. */
function bounded(history: readonly Deployment[]): readonly Deployment[] {
  let files = 0
  const isTooMuch = (one: Deployment): boolean => (files += one.files.size) > MAX_HISTORY_FILES
  const recent = history.slice(-MAX_HISTORY).reverse()
  const end = recent.findIndex((one, i) => isTooMuch(one) && i > 0)
  return (end === -1 ? recent : recent.slice(0, end)).reverse()
}

/** Rejects what is no state: what it has switched off would be on again. */
function decodeState(text: string): ManifestState {
  try {
    const json = JSON.parse(text) as Record<string, unknown>
    const { version, base, scripts, styles, off, revoked, enabled, hashed, history, types = {} } = json
    // Checked as the manifest is that it leads to.
    const manifest = parseManifest({ version, base, files: {}, revoked, enabled }, SOME_SITE)
    const isGood =
      manifest !== undefined &&
      isTexts(off) &&
      typeof scripts === 'boolean' &&
      typeof styles === 'boolean' &&
      Array.isArray(history)
    if (!isGood) throw new TypeError()
    return {
      base: writtenBase(manifest),
      scripts,
      styles,
      types: typesOf(Object.entries(types as object).map(([ending, type]) => `${ending}=${type}`)),
      off,
      revoked: [...manifest.revoked],
      enabled: manifest.enabled,
      hashed: hashedFrom(hashed),
      history: history.slice(-MAX_HISTORY).map(deploymentFrom)
    }
  } catch {
    throw new Error('it is not a state of a manifest; without this file everything is hashed again')
  }
}

function hashedFrom(value: unknown): Map<string, HashedFile> {
  const hashed = new Map<string, HashedFile>()
  for (const [path, item] of Object.entries(value as object)) {
    const { look, fullHash, sha256 } = item as Record<string, unknown>
    // Both are of one form.
    if (typeof look === 'string' && isFullHash(fullHash) && isFullHash(sha256))
      hashed.set(path, { look, fullHash, sha256 })
  }
  return hashed
}

function deploymentFrom(value: unknown): Deployment {
  const { base, files } = value as { base: unknown; files: object }
  const entries = Object.entries(files)
  const read = new Map<string, SiteFile>()
  let written = ''
  // A manifest has not so many files in one text.
  for (let at = 0; at === 0 || at < entries.length; at += MAX_MANIFEST_ENTRIES) {
    const part = Object.fromEntries(entries.slice(at, at + MAX_MANIFEST_ENTRIES))
    const manifest = parseManifest({ version: 1, base, files: part }, SOME_SITE)
    if (manifest === undefined) throw new TypeError()
    written = writtenBase(manifest)
    for (const [path, file] of manifest.files) read.set(path, file)
  }
  return { base: written, files: read }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string')
}

async function readText(file: string, maxBytes: number): Promise<string | undefined> {
  try {
    const bytes = await readFile(file)
    if (bytes.length > maxBytes) throw new Error('it is too long')
    return bytes.toString('utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
