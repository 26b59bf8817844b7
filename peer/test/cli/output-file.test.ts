import { expect } from 'chai'
import { chmod, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkOutput } from '../../src/cli/output-file.js'

describe('the name of a file that is to be written', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mayfly-output-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const check = (name: string): Promise<string> =>
    checkOutput(join(folder, name)).then(
      () => 'fine',
      (error: unknown) => (error as Error).message
    )

  it('is refused where no file can have it', async () => {
    expect(await check('x'.repeat(300))).to.match(/x cannot be written: name too long$/)
    expect(await check('none/x')).to.match(/none is no folder$/)
    expect(await readdir(folder)).to.deep.equal([])
  })

  it('is tried without a trace', async () => {
    expect(await check('ü'.repeat(120))).to.equal('fine')
    expect(await readdir(folder)).to.deep.equal([])
  })

  it('is tried without touching what has it', async () => {
    await writeFile(join(folder, 'there'), 'before')
    await chmod(join(folder, 'there'), 0o400)
    await symlink('nowhere', join(folder, 'dangling'))
    expect(await check('there')).to.equal('fine')
    expect(await check('dangling')).to.equal('fine')
    expect(await readFile(join(folder, 'there'), 'utf8')).to.equal('before')
    expect(await readdir(folder)).to.deep.equal(['dangling', 'there'])
  })
})
