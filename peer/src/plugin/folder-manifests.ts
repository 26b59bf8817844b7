import { statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf } from '../error.js'
import { readManifest } from '../manifest/manifest-state.js'
import { writeSiteManifest, type ManifestOptions } from '../manifest/site-manifest-file.js'

/** What the plug-in is called; every line of it begins so. */
export const NAME = 'mayfly-manifest'

/** A file that a manifest names, and how it looked when that was written. */
interface Seen {
  readonly path: string
  readonly place: string
  readonly look: string
}

/**
 * The manifests of the folders that a build writes: made when they are written, made again when everything is closed, and looked at
 * a last time when the process ends, as others may have changed a file after that.
 */
export class FolderManifests {
  readonly #options: ManifestOptions
  /** By folder. */
  readonly #bases = new Map<string, string | undefined>()

  constructor(options: ManifestOptions) {
    this.#options = options
  }

  /** Makes the manifest of a folder; `base`: where it is on the site unless the options say so. Gives warnings. Rejects where it cannot be made. */
  async write(folder: string, base: string | undefined): Promise<string[]> {
    this.#bases.set(folder, base)
    const lines: string[] = []
    const say = (text: string): unknown => lines.push(`${NAME}: ${text}`)
    try {
      const { output } = await writeSiteManifest(folder, {
        ...this.#options,
        base: this.#options.base ?? base,
        onleftout: ({ path, reason }) => say(`${JSON.stringify(path)} is left out: ${reason}`)
      })
      remember(this.#keyOf(folder), await seen(folder, output))
    } catch (error) {
      throw new Error(`${NAME}: ${reasonOf(error)}`, { cause: error })
    }
    return lines
  }

  /** Makes again what has changed since, and gives a warning then. Rejects where that cannot be done. */
  async settle(): Promise<string[]> {
    const changed: Seen[] = []
    for (const [folder, base] of this.#bases) {
      const key = this.#keyOf(folder)
      const before = named.get(key) ?? []
      await this.write(folder, base)
      const after = new Map(named.get(key)?.map(({ path, look }) => [path, look]))
      changed.push(...before.filter(({ path, look }) => after.get(path) !== look))
    }
    this.#bases.clear()
    if (changed.length === 0) return []
    return [`${NAME}: made again, as others have changed what was written: ${listed(changed)}`]
  }

  #keyOf(folder: string): string {
    return [folder, this.#options.output ?? ''].join('\0')
  }
}

/** What the manifests of this process name, by folder and manifest. */
const named = new Map<string, readonly Seen[]>()

/** Remembers it until the process ends: what has changed by then would be named by a hash that it has not. */
function remember(key: string, files: readonly Seen[]): void {
  if (named.size === 0) process.once('exit', complain)
  named.set(key, files)
}

function complain(): void {
  const changed = [...named.values()].flat().filter(({ place, look }) => (lookNow(place) ?? look) !== look)
  if (changed.length === 0) return
  process.stderr.write(
    `${NAME}: changed after the manifest was made: ${listed(changed)}; run \`mayfly manifest\` last\n`
  )
  process.exitCode ||= 1
}

function listed(files: readonly Seen[]): string {
  const names = files.slice(0, 3).map(({ path }) => JSON.stringify(path))
  return `${names.join(', ')}${files.length > names.length ? ', …' : ''} (${files.length})`
}

async function seen(folder: string, manifestFile: string): Promise<Seen[]> {
  const manifest = await readManifest(manifestFile)
  const found: Seen[] = []
  for (const path of manifest?.files.keys() ?? []) {
    const place = join(folder, path)
    const { size, mtimeMs } = await stat(place)
    found.push({ path, place, look: `${size} ${mtimeMs}` })
  }
  return found
}

/** Undefined: it is not there any more. */
function lookNow(place: string): string | undefined {
  try {
    const { size, mtimeMs } = statSync(place)
    return `${size} ${mtimeMs}`
  } catch {
    return undefined
  }
}
