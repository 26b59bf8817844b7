import { expect } from 'chai'
import fc from 'fast-check'
import { isLoopback, networkOf } from '../../src/core/network-address.js'

describe('networkOf', () => {
  it('takes an IPv4 address as it is, mapped into IPv6 too', () => {
    expect(networkOf('203.0.113.7')).to.equal('203.0.113.7')
    expect(networkOf('::ffff:203.0.113.7')).to.equal('203.0.113.7')
    expect(networkOf('::FFFF:cb00:7107')).to.equal('203.0.113.7')
  })

  it('takes an IPv6 /64 as one', () => {
    const network = networkOf('2001:db8:1:2:3:4:5:6')
    expect(network).to.equal('2001:db8:1:2::/64')
    expect(networkOf('2001:DB8:1:2::9')).to.equal(network)
    expect(networkOf('2001:db8:1:3::9')).not.to.equal(network)
    expect(networkOf('fe80::1%eth0')).to.equal('fe80:0:0:0::/64')
    expect(networkOf('::1')).to.equal('0:0:0:0::/64')
  })

  it('takes anything else as a network of its own', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom('', ':::', '1::2::3', ':', '1:2')), text => {
        expect(networkOf(text)).to.be.a('string')
        expect(isLoopback(text)).to.be.a('boolean')
      })
    )
  })
})

describe('isLoopback', () => {
  it('knows 127.0.0.0/8 and ::1, mapped too', () => {
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '0:0:0:0:0:0:0:1']) {
      expect(isLoopback(address), address).to.equal(true)
    }
    for (const address of ['128.0.0.1', '::2', '::', '', 'localhost', '10.127.0.0.1', '::ffff:10.0.0.1']) {
      expect(isLoopback(address), address).to.equal(false)
    }
  })
})
