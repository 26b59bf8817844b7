import { expect } from 'chai'
import { ProxyTrust } from '../../src/server/proxy-trust.js'

describe('ProxyTrust', () => {
  it('believes nobody by default', () => {
    expect(new ProxyTrust().clientOf('127.0.0.1', '203.0.113.7')).to.equal('127.0.0.1')
  })

  it('takes the last address that no trusted proxy has', () => {
    const trust = new ProxyTrust(['loopback', '10.0.0.0/8', '2001:db8::5'])
    expect(trust.clientOf('127.0.0.1', '203.0.113.7')).to.equal('203.0.113.7')
    expect(trust.clientOf('::ffff:127.0.0.1', '198.51.100.1, 203.0.113.7, 10.1.2.3')).to.equal('203.0.113.7')
    expect(trust.clientOf('::1', '203.0.113.7,2001:db8::5')).to.equal('203.0.113.7')
    expect(trust.clientOf('2001:db8::6', '203.0.113.7')).to.equal('2001:db8::6')
    expect(trust.clientOf('10.0.0.1', '2001:db8:1::9')).to.equal('2001:db8:1::9')
  })

  it('stops at what is no address', () => {
    const trust = new ProxyTrust(['loopback'])
    expect(trust.clientOf('127.0.0.1', undefined)).to.equal('127.0.0.1')
    expect(trust.clientOf('127.0.0.1', '')).to.equal('127.0.0.1')
    expect(trust.clientOf('127.0.0.1', '203.0.113.7, unknown')).to.equal('127.0.0.1')
    expect(trust.clientOf('127.0.0.1', 'nonsense, 127.0.0.2')).to.equal('127.0.0.2')
  })

  it('reads addresses with a port', () => {
    const trust = new ProxyTrust(['loopback'])
    expect(trust.clientOf('127.0.0.1', '203.0.113.7:4711')).to.equal('203.0.113.7')
    expect(trust.clientOf('127.0.0.1', '[2001:db8::7]:4711')).to.equal('2001:db8::7')
  })

  it('refuses what is neither address nor range', () => {
    for (const entry of ['', 'example.org', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/8/8', '1.2.3']) {
      expect(() => new ProxyTrust([entry]), entry).to.throw(TypeError)
    }
  })
})
