import { expect } from 'chai'
import { openRevocations } from '../../src/site/revocations.js'

const ONE = '1'.repeat(64)
const TWO = '2'.repeat(64)

/** A site whose manifest can be changed, and what may be given of two objects there. */
class Site {
  now = 0
  looks = 0
  answer: () => Response | Promise<Response> = () => Response.json({})
  readonly #revocations = openRevocations('/manifest.json', {
    fetch: async () => {
      this.looks++
      return this.answer()
    },
    now: () => this.now
  })

  given(): Promise<readonly string[]> {
    return this.#revocations.without([ONE, TWO])
  }
}

describe('revocations of a site', () => {
  let site: Site
  beforeEach(() => (site = new Site()))

  it('keep back what the manifest revokes', async () => {
    site.answer = () => Response.json({ version: 1, revoked: [ONE] })
    expect(await site.given()).to.deep.equal([TWO])
  })

  it('keep back everything where the site switched it off', async () => {
    site.answer = () => Response.json({ version: 1, enabled: false })
    expect(await site.given()).to.deep.equal([])
  })

  it('are looked up again after two minutes, and not before', async () => {
    expect(await site.given()).to.deep.equal([ONE, TWO])
    site.answer = () => Response.json({ revoked: [TWO] })
    site.now = 119_999
    expect(await site.given()).to.deep.equal([ONE, TWO])
    expect(site.looks).to.equal(1)
    site.now = 120_000
    expect(await site.given()).to.deep.equal([ONE])
  })

  it('are asked for once by all that is to be given at the same time', async () => {
    site.answer = () => Response.json({ revoked: [ONE] })
    expect(await Promise.all([site.given(), site.given()])).to.deep.equal([[TWO], [TWO]])
    expect(site.looks).to.equal(1)
  })

  for (const [what, answer] of [
    ['is not there', () => new Response('', { status: 404 })],
    ['is not JSON', () => new Response('{')],
    ['is null', () => Response.json(null)],
    ['names no list', () => Response.json({ revoked: 'all' })],
    ['cannot be reached', () => Promise.reject(new TypeError('no line'))]
  ] as const)
    it(`let everything be given where the manifest ${what}`, async () => {
      site.answer = answer
      expect(await site.given()).to.deep.equal([ONE, TWO])
    })

  it('hold while the manifest cannot be had', async () => {
    site.answer = () => Response.json({ revoked: [ONE] })
    await site.given()
    site.answer = () => Promise.reject(new TypeError('no line'))
    site.now = 200_000
    expect(await site.given()).to.deep.equal([TWO])
  })

  it('are none where the site has no manifest', async () => {
    const revocations = openRevocations(undefined, {
      fetch: () => Promise.reject(new Error('nothing is asked')),
      now: () => 0
    })
    expect(await revocations.without([ONE])).to.deep.equal([ONE])
  })
})
