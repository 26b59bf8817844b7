import { expect } from 'chai'
import { isDialable, isPrivateHost } from '../../../src/network/contacts/dialable-url.js'

const PUBLIC = 'wss://mediator.example:443/'
const LOCAL = 'ws://127.0.0.1:8080'

describe('isDialable', () => {
  for (const url of [
    'http://a.example',
    'ws://user@a.example',
    'ws://u:p@a.example',
    'ws://a.example/#x',
    'nonsense'
  ]) {
    it(`refuses ${url} to everyone`, () => {
      expect(isDialable(url, PUBLIC)).to.equal(false)
      expect(isDialable(url, LOCAL)).to.equal(false)
    })
  }

  for (const host of [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[fd00::1]',
    '[fe80::1]',
    'localhost',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
    'printer.local'
  ]) {
    it(`does not let strangers point a public mediator at ${host}, and lets local ones`, () => {
      expect(isDialable(`ws://${host}:80`, PUBLIC)).to.equal(false)
      expect(isDialable(`ws://${host}:80`, LOCAL)).to.equal(true)
    })
  }

  it('lets public hosts be dialled', () => {
    for (const host of [
      'other.example',
      '8.8.8.8',
      '172.32.0.1',
      '100.128.0.1',
      '[2001:db8::1]',
      '11.0.0.1'
    ]) {
      expect(isDialable(`wss://${host}/x`, PUBLIC), host).to.equal(true)
    }
  })
})

describe('isPrivateHost', () => {
  it('knows names that only look private', () => {
    for (const host of ['10.example', 'mylocalhost', '192.168.example'])
      expect(isPrivateHost(host)).to.equal(false)
  })
})
