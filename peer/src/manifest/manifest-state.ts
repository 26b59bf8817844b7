import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isFullHash, type FullHash } from '@mayfly/common'
import { MAX_MANIFEST_LENGTH, parseManifest, type SiteManifest } from '../core/site-manifest.js'
import { filesToJson, SOME_SITE, writtenBase, type Deployment } from './manifest-json.js'

/** Deployments that a rollback can bring back. */
export const MAX_HISTORY = 5

/** No state is longer than a few manifests, and what is known of their files. */
const MAX_STATE_BYTES = 16 * MAX_MANIFEST_LENGTH

/** A file that was hashed, and how it looked then. */
export interface HashedFile {
  /** Size, times of its last change and of its status, and number of its inode, as text. */
  readonly look: string
  readonly fullHash: FullHash
}

/** What is remembered from run to run, in a file beside the manifest that does not travel. */
export interface ManifestState {
  readonly base: string
  readonly scripts: boolean
  readonly styles: boolean
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

/** The manifest in a file; undefined where there is no file. Rejects where it is no manifest. */
export async function readManifest(file: string, at = SOME_SITE): Promise<SiteManifest | undefined> {
  const text = await readText(file, 4 * MAX_MANIFEST_LENGTH)
  if (text === undefined) return undefined
  const manifest = parseManifest(text, at)
  if (manifest === undefined) throw new Error('it is not a manifest')
  return manifest
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
    history: history.slice(-MAX_HISTORY).map(({ base, files }) => ({ base, files: filesToJson(files) }))
  }
  return `${JSON.stringify(value)}\n`
}

/** Rejects what is no state: what it has switched off would be on again. */
function decodeState(text: string): ManifestState {
  try {
    const json = JSON.parse(text) as Record<string, unknown>
    const { version, base, scripts, styles, off, revoked, enabled, hashed, history } = json
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
    const { look, fullHash } = item as Record<string, unknown>
    if (typeof look === 'string' && isFullHash(fullHash)) hashed.set(path, { look, fullHash })
  }
  return hashed
}

function deploymentFrom(value: unknown): Deployment {
  const manifest = parseManifest({ ...(value as object), version: 1 }, SOME_SITE)
  if (manifest === undefined) throw new TypeError()
  return { base: writtenBase(manifest), files: manifest.files }
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
