import { expect } from 'chai'
import { chooseMediators, decodeMediator, isLocal, readMediators } from '../src/mediator-address.js'

const page = { protocol: 'http:', hostname: 'files.example' }

describe('the address of a mediator', () => {
  it('has one form', () => {
    expect(decodeMediator('WS://Example.ORG:80/')).to.equal('ws://example.org')
    expect(decodeMediator('wss://example.org/mayfly?a=b')).to.equal('wss://example.org/mayfly?a=b')
    expect(decodeMediator('ws://example.org/#x')).to.equal(undefined)
    expect(decodeMediator('ws://' + 'a'.repeat(300))).to.equal(undefined)
    expect(decodeMediator('ws:///x')).to.equal(undefined)
  })

  it('is understood as people type it', () => {
    const { mediators, unreadable } = readMediators(
      '127.0.0.1:8081, https://m.example\nws://m.example:99 ftp://x',
      'http:'
    )
    expect(mediators).to.deep.equal(['ws://127.0.0.1:8081', 'wss://m.example', 'ws://m.example:99'])
    expect(unreadable).to.deep.equal(['ftp://x'])
    expect(readMediators('m.example', 'https:').mediators).to.deep.equal(['wss://m.example'])
  })

  it('comes from the link first, then from the visitor, then from the server, then from the page', () => {
    const all = { link: ['ws://l'], remembered: ['ws://r'], served: ['ws://s'], page }
    expect(chooseMediators(all)).to.deep.equal(['ws://l'])
    expect(chooseMediators({ ...all, link: [] })).to.deep.equal(['ws://r'])
    expect(chooseMediators({ ...all, link: [], remembered: [] })).to.deep.equal(['ws://s'])
    expect(chooseMediators({ link: [], remembered: [], served: [], page })).to.deep.equal([
      'ws://files.example:8081'
    ])
    const file = { protocol: 'file:', hostname: '' }
    expect(chooseMediators({ link: [], remembered: [], served: [], page: file })).to.deep.equal([
      'ws://127.0.0.1:8081'
    ])
  })

  it('is known as local where it means this computer', () => {
    expect(['ws://127.0.0.1:1', 'ws://localhost', 'ws://[::1]:8'].every(isLocal)).to.equal(true)
    expect(['ws://10.0.0.1', 'wss://localhost.example', 'nonsense'].some(isLocal)).to.equal(false)
  })
})
