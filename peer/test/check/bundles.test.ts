import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { bundleOf, fitsIntegrity, integritiesIn } from '../../src/check/bundles.js'

const FOLDER = new URL('../../dist/bundle/', import.meta.url)

describe('what a script says of its parts', () => {
  it('is read out of the scripts as they are built: all parts but what the worker is, and they fit', async () => {
    const known = new Map<string, string>()
    for (const name of ['mayfly.js', 'mayfly-objects.js', 'mayfly-requests.js'])
      for (const [part, integrity] of integritiesIn(String(await bundleOf(name)))) known.set(part, integrity)
    const built = (await readdir(FOLDER)).flatMap(name => /^mayfly-([a-z]+)\.js$/.exec(name)?.[1] ?? [])
    expect([...known.keys()]).to.have.members(built.filter(name => !/worker|relay/.test(name)))
    for (const [part, integrity] of known) {
      const bytes = await bundleOf(`mayfly-${part}.js`)
      expect(bytes && fitsIntegrity(bytes, integrity), part).to.equal(true)
    }
  })

  it('is read in whatever way a tool has written it', () => {
    const hash = createHash('sha256').update('x').digest('base64').replace('=', '')
    for (const text of [`{a:"${hash}"}`, `{"a": '${hash}='}`, `t("a","${hash}")`, `{a:\`sha256-${hash}=\`}`])
      expect([...integritiesIn(text)], text).to.deep.equal([['a', `sha256-${hash}=`]])
    expect(integritiesIn('a:"short"').size).to.equal(0)
  })

  it('asks nothing where browsers know no hash in it', () => {
    const bytes = new Uint8Array([1])
    expect(fitsIntegrity(bytes, '')).to.equal(true)
    expect(fitsIntegrity(bytes, 'md5-x')).to.equal(true)
    expect(fitsIntegrity(bytes, 'sha256-x')).to.equal(false)
  })
})
