import { expect } from 'chai'
import { open, readdir } from 'node:fs/promises'
import { fileTrouble, mediatorUrls, readArguments, UsageError } from '../../src/cli/arguments.js'

describe('the arguments of mayfly', () => {
  it('are refused in one line', () => {
    const read = (): unknown => readArguments({ args: ['--bogus'], options: {} })
    expect(read).to.throw(UsageError, /^Unknown option '--bogus'$/)
  })

  it('name at least one mediator, each by a WebSocket URL', () => {
    expect(mediatorUrls(['ws://a', 'wss://b/c'])).to.deep.equal(['ws://a', 'wss://b/c'])
    for (const urls of [undefined, [], ['http://a'], ['ws://a', 'b']]) {
      expect(() => mediatorUrls(urls)).to.throw(UsageError)
    }
  })

  it('that name no readable file are told without naming it twice', async () => {
    expect(await open('/nowhere/at all').catch(fileTrouble)).to.equal('no such file or directory')
    expect(await readdir('/dev/null').catch(fileTrouble)).to.equal('not a directory')
    expect(fileTrouble(new Error('it is not a file'))).to.equal('it is not a file')
  })
})
