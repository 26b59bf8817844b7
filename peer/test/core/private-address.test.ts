import { expect } from 'chai'
import { isPrivateHost } from '../../src/core/private-address.js'

describe('a private address', () => {
  const inside =
    'localhost a.localhost printer.local nas.local. 127.0.0.1 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.1.1 100.64.0.1 0.0.0.0 [::1] ::1 [::] fc00::1 fd12:3456::1 [fe80::1] ::ffff:10.0.0.1 [::ffff:c0a8:101]'
  for (const host of inside.split(' '))
    it(`${host} is one`, () => {
      expect(isPrivateHost(host)).to.equal(true)
    })
  const outside =
    'example.org localhost.example 10.example.org 172.15.0.1 172.32.0.1 192.169.0.1 100.128.0.1 8.8.8.8 2001:db8::1 [2606:4700::1111] ::ffff:8.8.8.8 fcc.example fe80.example'
  for (const host of outside.split(' '))
    it(`${host} is none`, () => {
      expect(isPrivateHost(host)).to.equal(false)
    })
})
