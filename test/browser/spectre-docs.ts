import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, sep } from 'node:path'

const DOCS = join(dirname(createRequire(import.meta.url).resolve('spectre.css/package.json')), 'docs')

/** The documentation folder of the npm package spectre.css, in a place of its own. */
export class SpectreDocs {
  readonly folder: string
  readonly #place: string

  private constructor(place: string) {
    this.#place = place
    this.folder = join(place, 'docs')
  }

  static async copy(): Promise<SpectreDocs> {
    const docs = new SpectreDocs(await mkdtemp(join(tmpdir(), 'mayfly-docs-')))
    await cp(DOCS, docs.folder, { recursive: true })
    return docs
  }

  remove(): Promise<void> {
    return rm(this.#place, { recursive: true, force: true })
  }

  /** Files that are in the copy and not in the package, in order. */
  async added(): Promise<string[]> {
    const before = new Set(await filesOf(DOCS))
    return (await filesOf(this.folder)).filter(path => !before.has(path))
  }

  /**
   * What has become of the files of the package: each line that was changed, once, under the pages where it was changed so.
   * Throws where lines were added or taken away.
   */
  async difference(): Promise<string> {
    const pagesOf = new Map<string, string[]>()
    const paths = await filesOf(DOCS)
    for (const path of paths) {
      const [before, after] = await Promise.all([DOCS, this.folder].map(root => linesOf(join(root, path))))
      if (before?.length !== after?.length) throw new Error(`${path} has another number of lines`)
      before?.forEach((line, at) => {
        if (line === after?.[at]) return
        const change = `-${line}\n+${after?.[at]}`
        const pages = pagesOf.get(change) ?? []
        if (!pages.includes(path)) pagesOf.set(change, [...pages, path])
      })
    }
    let heading = ''
    return [...pagesOf]
      .map(([change, pages]) => {
        const next = `@@ ${inShort(pages, paths)}\n`
        const text = next === heading ? change : `${next}${change}`
        heading = next
        return `${text}\n`
      })
      .join('')
  }
}

/** Paths, with a folder for all its pages. */
function inShort(pages: readonly string[], all: readonly string[]): string {
  const isPage = (path: string): boolean => path.endsWith('.html')
  if (all.filter(isPage).every(path => pages.includes(path))) return '**/*.html'
  const names = pages.map(path => {
    const folder = dirname(path)
    const others = all.filter(other => isPage(other) && dirname(other) === folder)
    return others.length > 1 && others.every(other => pages.includes(other)) ? `${folder}/*.html` : path
  })
  return [...new Set(names)].join(', ')
}

async function filesOf(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(root.length + 1))
    .map(path => path.split(sep).join('/'))
    .sort((a, b) => (a < b ? -1 : 1))
}

async function linesOf(path: string): Promise<string[]> {
  return (await readFile(path, 'latin1')).split('\n')
}
