import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileSource } from '../../src/adapters/file-source.js'
import { filesBelow, type FoundFile } from '../../src/cli/file-tree.js'

describe('the files below a folder', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mayfly-file-tree-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const at = (...names: string[]): string => join(folder, ...names)

  async function found(path = folder): Promise<{ files: FoundFile[]; skipped: [string, string][] }> {
    const skipped: [string, string][] = []
    const files: FoundFile[] = []
    const onskip = (name: string, reason: unknown): void =>
      void skipped.push([name, (reason as Error).message])
    for await (const file of filesBelow(path, onskip)) files.push(file)
    return { files, skipped }
  }

  async function reasonOf(promise: Promise<unknown>): Promise<string> {
    return promise.then(
      () => 'did not reject',
      (error: unknown) => (error as Error).message
    )
  }

  it('are told one by one where they are left out: links, circles, pipes', async () => {
    await mkdir(at('sub'))
    await writeFile(at('sub', 'b.txt'), 'two')
    await writeFile(at('a.txt'), 'one')
    await symlink(at('a.txt'), at('link.txt'))
    await symlink(folder, at('sub', 'circle'))
    await symlink('nowhere', at('broken'))
    execFileSync('mkfifo', [at('pipe')])
    const { files, skipped } = await found()
    expect(files.map(({ path }) => path)).to.deep.equal([at('a.txt'), at('sub', 'b.txt')])
    expect(skipped).to.deep.equal([
      [at('broken'), 'it is a link'],
      [at('link.txt'), 'it is a link'],
      [at('pipe'), 'it is neither a file nor a folder'],
      [at('sub', 'circle'), 'it is a link']
    ])
  })

  it('may be one that is named by a link', async () => {
    await writeFile(at('a.txt'), 'one')
    await symlink(at('a.txt'), at('link.txt'))
    const { files } = await found(at('link.txt'))
    expect(files.map(({ path }) => path)).to.deep.equal([at('link.txt')])
    expect((await fileSource(at('link.txt'), files[0])).length).to.equal(3)
  })

  it('are not read where one became a link, a pipe or another file since', async () => {
    await writeFile(at('secret'), 'six by')
    await mkdir(at('shared', 'sub'), { recursive: true })
    await writeFile(at('shared', 'a.txt'), 'one')
    await writeFile(at('shared', 'sub', 'secret'), 'two')
    const { files } = await found(at('shared'))
    const [file, below] = files
    await rm(at('shared', 'a.txt'))
    await symlink(at('secret'), at('shared', 'a.txt'))
    expect(await reasonOf(fileSource(file!.path, file))).to.equal('it is a link')
    await rm(at('shared', 'a.txt'))
    execFileSync('mkfifo', [at('shared', 'a.txt')])
    expect(await reasonOf(fileSource(file!.path, file))).to.equal('it is not a file')
    await rename(at('shared', 'sub'), at('shared', 'old'))
    await symlink(folder, at('shared', 'sub'))
    expect(await reasonOf(fileSource(below!.path, below))).to.equal('it is another file than was found')
  })

  it('are no longer given once one became a link while it is shared', async () => {
    await writeFile(at('secret'), 'two')
    await writeFile(at('a.txt'), 'one')
    const { files } = await found(at('a.txt'))
    const source = await fileSource(at('a.txt'), files[0])
    await rm(at('a.txt'))
    await symlink(at('secret'), at('a.txt'))
    expect(await reasonOf(source.read(0, 3))).to.contain('has changed')
  })
})
