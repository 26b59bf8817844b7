import { expect } from 'chai'
import { reasonFor, reportVisits, shareOf, type Visit } from '../../src/check/visit-report.js'
import { collected } from './checked-site.js'

const some = new Set(['a', 'b'])
const none = new Set<string>()

/** A visit of one page view. */
function visit(
  mediation: Partial<Visit['mediation']> = {},
  {
    entries = [],
    made = 0,
    connected = 0,
    errors = []
  }: Partial<Visit['views'][0]> & { errors?: string[] } = {}
): Visit {
  return {
    views: [
      {
        url: 'https://x.example/',
        loadMs: 5,
        entries,
        made,
        connected,
        hasWorker: true,
        answers: [
          { url: 'https://x.example/', bytes: 1_229_067 },
          { url: 'https://x.example/b.png', bytes: 5_500 }
        ]
      }
    ],
    mediation: { sockets: 1, established: 1, announced: some, asked: some, named: some, ...mediation },
    errors: new Set(errors)
  }
}

describe('the report of two visits', () => {
  const fromPeer = [
    { url: '/a.png', source: 'peer', bytes: 1_000 },
    { url: '/film.mp4', source: 'peer', bytes: 2_000 },
    { url: '/film.mp4', source: 'peer', bytes: 3_000 },
    { url: '/b.png', source: 'origin', bytes: 0 },
    { url: '/d.png', source: 'origin', bytes: 500 },
    { url: '/c.png', source: 'cache', bytes: 4_000 }
  ]

  it('tells what the second took from others, its own store and the site, and what servers sent', () => {
    const findings = collected()
    reportVisits({ first: visit(), second: visit({}, { entries: fromPeer }) }, findings)
    expect(findings.lines).to.deep.equal({
      fine: [
        'the first visitor: 1 page view, servers sent 2 answers, 1.2 MB; gives 2 files',
        'the second visitor: https://x.example/ (loaded in 5 ms): 2 files (6 kB) from other visitors, 1 file (4 kB) from its own store, 2 files (6 kB) from the site; servers sent 2 answers, 1.2 MB',
        'the second visitor took 2 files (6 kB) from other visitors, 50 % of what it did not have of the manifest'
      ],
      note: [],
      problem: []
    })
  })

  it('counts a file of several entries once, and again in another view', () => {
    const { views, ...rest } = visit({}, { entries: fromPeer })
    expect(shareOf({ ...rest, views: [...views, ...views] }, 'peer')).to.deep.equal({
      files: 4,
      bytes: 12_000
    })
  })

  it('finds that nothing came from the first, and tells what the console says', () => {
    const findings = collected()
    reportVisits({ first: visit(), second: visit({}, { errors: ['no'] }) }, findings)
    expect(findings.lines.problem.join()).to.match(
      /^nothing came from the first visitor: the second was named/
    )
    expect(findings.lines.note).to.deep.equal(['the console of the page: no'])
  })

  const policy = "Refused to load, as it violates the Content Security Policy directive: script-src 'self'"
  const reasons: readonly (readonly [Visit, Visit, RegExp])[] = [
    [visit({ sockets: 0 }), visit(), /^the first opened no session$/],
    [
      visit({ sockets: 0 }, { errors: [policy] }),
      visit(),
      /opened no session \(a policy refuses something: Refused/
    ],
    [visit({ established: 0 }), visit(), /no mediator has answered the first/],
    [visit({ announced: none }), visit(), /the first had nothing to give/],
    [visit(), visit({ sockets: 0 }), /the second opened no session/],
    [visit(), visit({ established: 0 }), /no mediator has answered the second/],
    [visit(), visit({ asked: none }), /the second asked for nothing/],
    [visit(), visit({ named: none }), /asked for 2 files, and the mediator named nobody/],
    [visit(), visit(), /tried no connection/],
    [visit(), visit({}, { made: 2 }), /none of 2 connections came about/],
    [visit(), visit({}, { made: 2, connected: 1 }), /the site had brought everything before/]
  ]
  for (const [first, second, text] of reasons)
    it(`says where it ended: ${text.source}`, () => {
      expect(reasonFor({ first, second })).to.match(text)
    })
})
