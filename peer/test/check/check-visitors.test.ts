import { expect } from 'chai'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { checkVisitors } from '../../src/check/check-visitors.js'
import { collected } from './checked-site.js'

describe('the visit of a page', () => {
  it('is told in one line where the browser does not start, and leaves nothing behind', async () => {
    const profiles = async (): Promise<string[]> =>
      (await readdir(tmpdir())).filter(name => name.startsWith('mayfly-check-'))
    const before = await profiles()
    for (const [program, why] of [
      ['/not/there', /ENOENT/],
      // It ends at once, as it knows none of the switches.
      [process.execPath, /it has ended: .*bad option/]
    ] as const) {
      const findings = collected()
      const { signal } = new AbortController()
      await checkVisitors(new URL('http://127.0.0.1:1/'), { program, signal }, findings)
      expect(findings.lines.problem).to.have.lengthOf(1)
      expect(findings.lines.problem[0]).to.match(why)
    }
    expect(await profiles()).to.deep.equal(before)
  })
})
