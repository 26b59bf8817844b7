import { stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { isPath, type SiteFile, type SiteManifest } from '../core/site-manifest.js'
import { troubleWith } from './file-trouble.js'
import { endingNamed, isOwnScript, travelling, typesOf } from './file-types.js'
import { folderFiles, type FolderFile, type LeftOut } from './folder-files.js'
import { candidateOf, hashFiles, SIDECAR_ENDING, type Candidate } from './hash-files.js'
import { LeftOutFiles, type LeftOutGroup } from './left-out.js'
import {
  encodeManifest,
  filesToJson,
  MAX_SITE_FILES,
  SOME_SITE,
  writtenBase,
  type Deployment
} from './manifest-json.js'
import {
  encodeState,
  MAX_HISTORY,
  readManifest,
  readState,
  stateFileOf,
  type ManifestState
} from './manifest-state.js'
import { pageListsAmong, wantedPageLists, writePageLists, type PageLists } from './page-list-files.js'
import { isPageListPath, PAGE_LIST_TYPE } from './page-lists.js'
import { removeSections, sectionIn, writeSections } from './section-files.js'
import { isPlain, matcherOf } from './path-pattern.js'
import { writeWhole } from './write-whole.js'

/** What a manifest is called unless told otherwise. */
export const MANIFEST_NAME = 'mayfly-manifest.json'

/** What is changed of a manifest. What is left out is as it was the last time. */
export interface ManifestOptions {
  /** The manifest's file. Default: `mayfly-manifest.json` in the folder. */
  readonly output?: string | undefined
  /** Where what is remembered is kept. Default: a dotfile beside the manifest. */
  readonly state?: string | undefined
  /** Where the folder is on the site: URL path or absolute https URL, with `/` at its end. Default: `/`. */
  readonly base?: string | undefined
  readonly scripts?: boolean | undefined
  readonly styles?: boolean | undefined
  /** Types of endings, as `ext=media/type`, and endings whose type is as usual again. */
  readonly types?: readonly string[]
  readonly noTypes?: readonly string[]
  /** Patterns of paths to be switched off, or on again. */
  readonly off?: readonly string[]
  readonly on?: readonly string[]
  /** Full hashes never to travel again, or again after all. */
  readonly revoke?: readonly string[]
  readonly restore?: readonly string[]
  readonly enabled?: boolean | undefined
  /** Brings the previous manifest back, with what is switched off now. */
  readonly rollback?: boolean
  /** Reads every file, also those that look as they did. */
  readonly rehash?: boolean
  /**
   * Whether there are page lists: they are written before the manifest, which names them, or those that are there are removed. Default:
   * they stay as they are.
   */
  readonly pages?: boolean | undefined
  /** Leaves the files alone, and changes what is switched off only, where there is a manifest. */
  readonly switchesOnly?: boolean
  readonly now?: () => number
  readonly onleftout?: (file: LeftOut) => void
  /** Bytes done, and bytes in all. */
  readonly onprogress?: (bytes: number, total: number) => void
}

/** What a manifest has become. */
export interface ManifestReport {
  readonly output: string
  /** Files that may travel, and bytes in them, without page lists. */
  readonly files: number
  readonly bytes: number
  /** Page lists that the manifest names. */
  readonly pageLists: number
  /** All files of the site and their bytes, without sidecars, page lists, the manifest and our own scripts. Undefined where nobody looked. */
  readonly site: { readonly files: number; readonly bytes: number } | undefined
  /** What of them does not travel, and why. */
  readonly leftOut: readonly LeftOutGroup[]
  /** Files that were read to hash them. */
  readonly readCount: number
  readonly isChanged: boolean
  readonly enabled: boolean
  /** After a rollback: files of the manifest that the folder has not, or has otherwise. */
  readonly differing: number
}

/**
 * Writes the manifest of a folder. One function for command line and plug-ins, so that they agree. Rejects where a
 * file cannot be read or changes meanwhile; the manifest is then as it was.
 */
export async function writeSiteManifest(
  folder: string,
  options: ManifestOptions = {}
): Promise<ManifestReport> {
  const root = resolve(folder)
  if (!(await stat(root)).isDirectory()) throw new Error('it is not a folder')
  const output = resolve(options.output ?? join(root, MANIFEST_NAME))
  const stateFile = resolve(options.state ?? stateFileOf(output))
  const before = await readManifest(output).catch(troubleWith(output))
  const remembered = await readState(stateFile, before).catch(troubleWith(stateFile))
  const state = changed(remembered, options)
  const found = await deploymentOf(root, { state, before, output, options })
  const history = historyOf(remembered, before, found, options.rollback === true)
  const switches = { ...state, off: pathsOff(state.off, [...found.offPaths, ...found.files.keys()]) }
  const name = basename(output)
  const encoded = encodeManifest(found, switches, name)
  // The state first: a manifest that is newer than what is remembered could lose what is switched off.
  await writeWhole(stateFile, encodeState({ ...state, base: found.base, hashed: found.hashed, history }))
  const former = before && encodeManifest(deploymentIn(before), listsOf(before), name)
  const isChanged = former?.text !== encoded.text
  if (isChanged) {
    // The manifest behind what it names; what visitors may still hold, and what can come back, stays.
    await writeSections(output, encoded)
    await writeWhole(output, encoded.text)
    const others = history.map(deployment => encodeManifest(deployment, ALL_ON, name))
    await removeSections(output, [encoded, ...(former ? [former] : []), ...others])
  }
  const revoked = new Set(state.revoked)
  const named = [...found.files].filter(([, file]) => !revoked.has(file.fullHash))
  const files = named.filter(([path, file]) => !isNamedPageList(path, file)).map(([, file]) => file)
  return {
    output,
    files: files.length,
    bytes: files.reduce((sum, { length }) => sum + length, 0),
    pageLists: named.length - files.length,
    site: found.site,
    leftOut: found.leftOut,
    readCount: found.readCount,
    isChanged,
    enabled: state.enabled,
    differing: options.rollback === true ? await differingFrom(root, found) : 0
  }
}

/** A deployment as it was found, restored or kept. */
interface Found extends Deployment {
  readonly hashed: ManifestState['hashed']
  readonly offPaths: readonly string[]
  readonly site: ManifestReport['site']
  readonly leftOut: readonly LeftOutGroup[]
  readonly readCount: number
}

/** Where nobody looked at the files. */
const UNSEEN = { site: undefined, leftOut: [], readCount: 0 }

interface Sought {
  readonly state: ManifestState
  readonly before: SiteManifest | undefined
  readonly output: string
  readonly options: ManifestOptions
}

async function deploymentOf(root: string, sought: Sought): Promise<Found> {
  const { state, before, options } = sought
  const { hashed } = state
  if (options.rollback === true) {
    const previous = state.history.at(-1)
    if (before === undefined || previous === undefined) throw new Error('there is no previous manifest')
    return { ...previous, hashed, offPaths: [...before.off], ...UNSEEN }
  }
  if (options.switchesOnly === true && before !== undefined)
    return { ...deploymentIn(before), hashed, offPaths: [...before.off], ...UNSEEN }
  return await lookedAt(root, sought)
}

/** How many files of a deployment the folder has not. Those that it has get their sidecars back. */
async function differingFrom(root: string, { files, hashed }: Found): Promise<number> {
  let differing = 0
  for (const [path, { fullHash, type }] of files) {
    try {
      const candidate = await candidateOf({ path, place: join(root, path) }, type)
      const found = await hashFiles([candidate], { known: hashed, now: Date.now, onprogress() {} })
      if (found.files.get(path)?.fullHash !== fullHash) differing++
    } catch {
      differing++
    }
  }
  return differing
}

/** The deployment that is in the folder. */
async function lookedAt(root: string, { state, output, options }: Sought): Promise<Found> {
  const { onleftout = () => {}, onprogress = () => {}, now = Date.now } = options
  const isOff = anyOf(state.off)
  const isSection = sectionIn(output)
  const candidates: Candidate[] = []
  const offPaths: string[] = []
  const leftOut = new LeftOutFiles()
  let siteBytes = 0
  const found = await folderFiles(root, file => {
    leftOut.add(file.reason, file.path)
    onleftout(file)
  })
  const present = await pageListsAmong(found)
  const files = found.filter(
    ({ path, place }) =>
      !path.endsWith(SIDECAR_ENDING) &&
      place !== output &&
      !isOwnScript(path) &&
      !isSection(place) &&
      !present.has(path)
  )
  const travel = travelling(
    files.map(({ path }) => path),
    state
  )
  for (const file of files) {
    const how = travel(file.path)
    const type = 'type' in how ? how.type : undefined
    const candidate = await candidateOf(file, type ?? '').catch(troubleWith(file.path))
    siteBytes += candidate.length
    // Nobody has to carry an empty file.
    if (candidate.length === 0) leftOut.add('empty files', file.path)
    else if ('reason' in how) leftOut.add(how.reason, file.path, candidate.length)
    else if (isOff(file.path)) {
      offPaths.push(file.path)
      leftOut.add('switched off (--off)', file.path, candidate.length)
    } else candidates.push(candidate)
  }
  // Before they are hashed for nothing.
  if (candidates.length > MAX_SITE_FILES)
    throw new Error(`${candidates.length} files may travel: a manifest has at most ${MAX_SITE_FILES}`)
  const total = candidates.reduce((sum, { length }) => sum + length, 0)
  const known = options.rehash === true ? new Map<string, never>() : state.hashed
  const hashed = await hashFiles(candidates, { known, now, onprogress: bytes => onprogress(bytes, total) })
  // Behind what could fail: those that are there are in the manifest that is there.
  const lists: Candidate[] = []
  for (const path of await pageListsOf(root, { files, present, candidates, state, options, leftOut })) {
    if (isOff(path)) offPaths.push(path)
    else lists.push(await candidateOf({ path, place: join(root, path) }, PAGE_LIST_TYPE))
  }
  const listed = await hashFiles(lists, { known, now, onprogress() {} })
  return {
    base: state.base,
    files: new Map([...hashed.files, ...listed.files]),
    hashed: new Map([...hashed.hashed, ...listed.hashed]),
    readCount: hashed.readCount,
    offPaths,
    site: { files: files.length, bytes: siteBytes },
    leftOut: leftOut.groups()
  }
}

interface PagesSought {
  /** All of the folder but what is ours. */
  readonly files: readonly FolderFile[]
  readonly present: PageLists
  readonly candidates: readonly Candidate[]
  readonly state: ManifestState
  readonly options: ManifestOptions
  readonly leftOut: LeftOutFiles
}

/** Paths of the page lists that are in the folder, once they are as they are wanted. */
async function pageListsOf(root: string, sought: PagesSought): Promise<Iterable<string>> {
  const { files, present, candidates, state, options, leftOut } = sought
  if (options.pages === undefined) return present.keys()
  const pictures = new Set(candidates.filter(({ type }) => type.startsWith('image/')).map(({ path }) => path))
  const base = new URL(state.base, SOME_SITE).href
  const wanted = options.pages
    ? await wantedPageLists(files, { base, isPicture: path => pictures.has(path) })
    : new Map<string, string>()
  const there = await writePageLists(root, wanted, present)
  for (const path of wanted.keys())
    if (!there.has(path)) leftOut.add('page lists whose place something else has', path)
  return there.keys()
}

function isNamedPageList(path: string, { type }: SiteFile): boolean {
  return type === PAGE_LIST_TYPE && isPageListPath(path)
}

/** What is remembered from now on. */
function changed(state: ManifestState, options: ManifestOptions): ManifestState {
  const { base, scripts, styles, enabled, off = [], on = [], revoke = [], restore = [] } = options
  const { types = [], noTypes = [] } = options
  const unnamed = new Set(noTypes.map(endingNamed))
  return {
    ...state,
    base: base ?? state.base,
    scripts: scripts ?? state.scripts,
    styles: styles ?? state.styles,
    types: Object.fromEntries(
      Object.entries({ ...state.types, ...typesOf(types) }).filter(([ending]) => !unnamed.has(ending))
    ),
    enabled: enabled ?? state.enabled,
    off: [...new Set([...state.off, ...off])].filter(pattern => !on.includes(pattern)),
    revoked: [...new Set([...state.revoked, ...revoke])].filter(hash => !restore.includes(hash))
  }
}

/** Where the files have changed, those that were there before can come back. */
function historyOf(
  { history }: ManifestState,
  before: SiteManifest | undefined,
  found: Deployment,
  isRollback: boolean
): readonly Deployment[] {
  if (isRollback) return history.slice(0, -1)
  if (before === undefined) return history
  const former = deploymentIn(before)
  return isSame(former, found) ? history : [...history, former].slice(-MAX_HISTORY)
}

/** What the manifest itself lists: paths, also those of no file, which pages of former days may still name. */
function pathsOff(patterns: readonly string[], found: readonly string[]): string[] {
  const isOff = anyOf(patterns)
  return [...patterns.filter(pattern => isPlain(pattern) && isPath(pattern)), ...found.filter(isOff)]
}

function anyOf(patterns: readonly string[]): (path: string) => boolean {
  const matchers = patterns.map(matcherOf)
  return path => matchers.some(matches => matches(path))
}

function deploymentIn(manifest: SiteManifest): { base: string; files: ReadonlyMap<string, SiteFile> } {
  return { base: writtenBase(manifest), files: manifest.files }
}

function listsOf({ off, revoked, enabled }: SiteManifest): {
  off: string[]
  revoked: string[]
  enabled: boolean
} {
  return { off: [...off], revoked: [...revoked], enabled }
}

function isSame(a: Deployment, b: Deployment): boolean {
  const all = (one: Deployment): string => JSON.stringify(filesToJson(one.files))
  return a.base === b.base && a.files.size === b.files.size && all(a) === all(b)
}

const ALL_ON = { off: [], revoked: [], enabled: true }
