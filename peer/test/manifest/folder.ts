import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ManifestOptions, ManifestReport } from '../../src/manifest/site-manifest-file.js'
import { writeSiteManifest } from '../../src/manifest/site-manifest-file.js'

/** A folder of a site, in a place of its own, removed by `remove`. */
export class Folder {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async of(files: Readonly<Record<string, string | Uint8Array>>): Promise<Folder> {
    const folder = new Folder(await mkdtemp(join(tmpdir(), 'mayfly-site-')))
    await folder.write(files)
    return folder
  }

  async write(files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(this.path, path)), { recursive: true })
      await writeFile(join(this.path, path), content)
    }
  }

  read(path: string): Promise<Buffer> {
    return readFile(join(this.path, path))
  }

  async text(path = 'mayfly-manifest.json'): Promise<string> {
    return (await this.read(path)).toString()
  }

  async json(): Promise<Record<string, unknown> & { files: Record<string, Record<string, unknown>> }> {
    return JSON.parse(await this.text()) as never
  }

  async paths(): Promise<string[]> {
    return Object.keys((await this.json()).files)
  }

  /** Writes the manifest, a minute after everything in the folder has changed. */
  manifest(options: ManifestOptions = {}): Promise<ManifestReport> {
    return writeSiteManifest(this.path, { now: () => Date.now() + 60_000, ...options })
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true, force: true })
  }
}

/** `length` bytes that differ with `seed`. */
export function bytesOf(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    bytes[i] = state >>> 24
  }
  return bytes
}
