import { expect } from 'chai'
import { readFile } from 'node:fs/promises'
import { SpectreDocs } from '../browser/spectre-docs.js'
import { Command } from './command.js'

const CHAPTER = new URL('../../docs/SITE.md', import.meta.url)

describe("the documentation of somebody else's package", function () {
  this.timeout(60_000)
  let docs: SpectreDocs
  beforeEach(async () => (docs = await SpectreDocs.copy()))
  afterEach(() => docs.remove())

  it('is changed by one command as docs/SITE.md shows, and by a second run no more', async () => {
    const chapter = (await readFile(CHAPTER, 'utf8')).split("\n## Somebody else's site, in full\n")[1] ?? ''
    const line = /^npx mayfly (prepare) docs (.+)$/m.exec(chapter)
    const args = [line?.[1] ?? '', docs.folder, ...(line?.[2] ?? '').split(' ')]
    expect(await Command.run(args)).to.include({ code: 0 })
    expect(/^```diff\n(.*?)^```$/ms.exec(chapter)?.[1]).to.equal(
      // That of the loader as it was built.
      (await docs.difference()).replaceAll(/sha384-[\w+/]{64}/g, 'sha384-…')
    )
    const added = await docs.added()
    const named = added.map(name => name.replace(/^mayfly-pages\/.*/, 'mayfly-pages/'))
    for (const name of named) expect(chapter).to.include(`\`${name}\``)
    const { code, stdout } = await Command.run(args)
    expect(code).to.equal(0)
    expect(stdout)
      .to.match(/^\d+ scripts, 0 changed\n/)
      .and.match(/\n64 documents, 0 changed;/)
    expect(await docs.added()).to.deep.equal(added)
  })
})
