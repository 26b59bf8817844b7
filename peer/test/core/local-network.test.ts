import { expect } from 'chai'
import fc from 'fast-check'
import {
  isLocalHost,
  isPublicPage,
  mayOffer,
  usableIceServers,
  withoutLocal,
  type PageNetwork
} from '../../src/core/local-network.js'

const PUBLIC: PageNetwork = { isPublic: true, isGranted: false }
const GRANTED: PageNetwork = { isPublic: true, isGranted: true }
const HOME: PageNetwork = { isPublic: false, isGranted: false }

const octet = fc.integer({ min: 0, max: 255 })
const group = fc.integer({ min: 0, max: 0xffff }).map(part => part.toString(16))
const v4 = (...first: readonly (number | fc.Arbitrary<number>)[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      ...[0, 1, 2, 3]
        .map(at => first[at] ?? octet)
        .map(one => (typeof one === 'number' ? fc.constant(one) : one))
    )
    .map(parts => parts.join('.'))
const v6 = (first: string): fc.Arbitrary<string> =>
  fc.array(group, { minLength: 7, maxLength: 7 }).map(parts => [first, ...parts].join(':'))
const between = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })

const loopback = fc.oneof(v4(127), fc.constantFrom('::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '0.0.0.0'))
const mdns = fc.uuid().map(name => `${name}.local`)
const local = fc.oneof(
  v4(10),
  v4(172, between(16, 31)),
  v4(192, 168),
  v4(169, 254),
  v4(100, between(64, 127)),
  v4(198, between(18, 19)),
  ...['fc00', 'fd12', 'FDAB', 'fe80', 'febf'].map(v6),
  mdns
)
const notThere = fc.oneof(
  loopback,
  local,
  v4(0),
  fc.constantFrom(
    '::ffff:192.168.1.4',
    '::ffff:c0a8:104',
    '::',
    'localhost',
    'a.localhost',
    'rebinds.example',
    '0177.0.0.1',
    '2130706433'
  )
)
const internet = fc.oneof(
  v4(between(11, 99)),
  v4(172, between(32, 255)),
  v4(192, between(0, 167)),
  v4(100, between(0, 63)),
  v4(203, 0, 113),
  ...['2001', '2a00', '3fff'].map(v6),
  fc.constantFrom('2001:db8::1', '2A02::4')
)
const type = fc.constantFrom(
  'host',
  'srflx raddr 192.168.1.4 rport 50000',
  'relay raddr 10.1.2.3 rport 9',
  'prflx'
)
const candidateOf = (address: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(fc.integer({ min: 1, max: 2 ** 31 }), address, between(1, 65_535), type)
    .map(
      ([priority, ip, port, kind]) =>
        `candidate:${priority} 1 udp ${priority} ${ip} ${port} typ ${kind} generation 0`
    )

function descriptionOf(candidates: readonly string[], end = '\r\n'): string {
  const lines = [
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel'
  ]
  const all = [
    ...lines,
    'c=IN IP4 192.168.1.4',
    ...candidates.map(one => `a=${one}`),
    'a=ice-ufrag:abcd',
    'a=mid:0'
  ]
  return all.map(line => line + end).join('')
}

describe('what a page tells and takes of local networks', () => {
  it('has no local address in 1,000 descriptions of a public page, and all of the internet', () => {
    const mixed = fc.array(
      fc.oneof(
        fc.tuple(candidateOf(notThere), fc.constant(false)),
        fc.tuple(candidateOf(internet), fc.constant(true))
      ),
      {
        maxLength: 20
      }
    )
    fc.assert(
      fc.property(mixed, fc.constantFrom('\r\n', '\n'), (candidates, end) => {
        const text = withoutLocal(
          descriptionOf(
            candidates.map(([line]) => line),
            end
          ),
          PUBLIC
        )
        const left = text.split(end).filter(line => line.includes('candidate'))
        const right = candidates.filter(([, isRight]) => isRight).map(([line]) => line.split(' ')[4])
        expect(left.map(line => line.split(' ')[4])).to.deep.equal(right)
        expect(text.replace(/^o=.*/m, '')).not.to.match(/ (192\.168|10\.1\.2|127)\./)
        for (const line of ['v=0', 't=0 0', 'c=IN IP4 0.0.0.0', 'a=ice-ufrag:abcd', 'a=mid:0'])
          expect(text.split(end)).to.include(line)
      }),
      { numRuns: 1_000 }
    )
  })

  it('offers and takes one candidate by the same rule', () => {
    fc.assert(
      fc.property(candidateOf(notThere), line => !mayOffer(line, PUBLIC) && withoutLocal(line, PUBLIC) === '')
    )
    fc.assert(fc.property(candidateOf(internet), line => mayOffer(line, PUBLIC)))
    expect(
      withoutLocal('candidate:1 1 udp 1 203.0.113.4 7 typ srflx raddr 10.0.0.1 rport 5 generation 0', PUBLIC)
    ).to.equal('candidate:1 1 udp 1 203.0.113.4 7 typ srflx raddr 0.0.0.0 rport 0 generation 0')
  })

  it('tells the local network, but not the machine itself, where the visitor has granted it', () => {
    fc.assert(fc.property(candidateOf(fc.oneof(local, internet)), line => mayOffer(line, GRANTED)))
    fc.assert(fc.property(candidateOf(loopback), line => !mayOffer(line, GRANTED)))
  })

  it('leaves everything as it is on a page of the local network', () => {
    fc.assert(
      fc.property(fc.array(candidateOf(fc.oneof(notThere, internet))), candidates => {
        const text = descriptionOf(candidates)
        return (
          withoutLocal(text, HOME) === text && candidates.every(line => withoutLocal(line, HOME) === line)
        )
      })
    )
  })

  it('drops what platforms may read as a candidate and this side does not', () => {
    const odd = [
      'candidate:1 1 udp  1 8.8.8.8 192.168.1.4 9 typ host',
      'candidate:1 1 udp 1\t192.168.1.4 9 typ host',
      'CANDIDATE:1 1 udp 1 192.168.1.4 9 typ host',
      'candidate:1 1 udp 1 8.8.8.8,192.168.1.4 9 typ host'
    ]
    for (const line of odd) {
      expect(mayOffer(line, PUBLIC), line).to.equal(false)
      expect(withoutLocal(descriptionOf([line, 'remote-candidates:1 192.168.1.4 9']), PUBLIC)).not.to.include(
        '192.'
      )
    }
    fc.assert(fc.property(fc.string(), text => withoutLocal(text, PUBLIC).length <= text.length + 16))
  })

  it('takes as public what came by https from a name or address of the internet', () => {
    const yes = [
      'https://shop.example/',
      'https://8.8.8.8/',
      'https://[2001:db8::1]:8443/',
      'https://localhost.example/',
      'about:srcdoc',
      'blob:https://shop.example/1'
    ]
    const no = [
      'http://shop.example/',
      'https://localhost/',
      'https://a.localhost:1/',
      'https://nas.local/',
      'https://127.0.0.1/',
      'https://192.168.1.4:8443/',
      'https://[::1]/',
      'https://[fd12::1]/',
      'https://[::ffff:192.168.1.4]/',
      'file:///home/a.html'
    ]
    for (const url of yes) expect(isPublicPage(new URL(url)), url).to.equal(true)
    for (const url of no) expect(isPublicPage(new URL(url)), url).to.equal(false)
    expect(
      ['10.example', '10.0.0.1', 'localhost.', 'local.example', '172.32.0.1'].map(isLocalHost)
    ).to.deep.equal([false, true, true, false, false])
  })
})

describe('ICE servers that a mediator names', () => {
  it('are at most four URLs of stun, turn or turns, whatever form they come in', () => {
    const many = Array.from({ length: 200 }, (_, n) => `stun:s${n}.example`)
    expect(usableIceServers([{ urls: many }], HOME)).to.deep.equal([{ urls: many.slice(0, 4) }])
    expect(
      usableIceServers(
        many.map(urls => ({ urls })),
        HOME
      )
    ).to.have.length(4)
    expect(usableIceServers([{ urls: [many.slice(0, 100)] }], HOME)).to.deep.equal([])
    const turn = { urls: 'turns:t.example:443?transport=tcp', username: 'u', credential: 'c' }
    expect(
      usableIceServers([{ urls: 'stuns:a' }, { urls: 'http://a/' }, turn, { urls: 'TURN:1.2.3.4' }], PUBLIC)
    ).to.deep.equal([turn, { urls: 'TURN:1.2.3.4' }])
  })

  it('are none of a local network on a public page', () => {
    const servers = [
      'stun:192.168.1.4',
      'turn:localhost:3478',
      'stun:[::1]:3478',
      'stun:nas.local',
      'stun:[2001:db8::1]'
    ]
    expect(usableIceServers([{ urls: servers.slice(0, 4) }, { urls: servers[4] }], PUBLIC)).to.deep.equal([
      { urls: servers[4] }
    ])
    expect(usableIceServers([{ urls: servers }], HOME)[0]?.urls).to.have.length(4)
  })

  it('are taken from anything', () => {
    fc.assert(fc.property(fc.anything(), value => usableIceServers(value, PUBLIC).length <= 4))
    for (const value of [null, 3, {}, [null], [3], [{ urls: null }], [{ urls: { toString: 1 } }]])
      expect(usableIceServers(value, HOME)).to.deep.equal([])
  })
})
