import { expect } from 'chai'
import { contentAddress, readContentAddress } from '../../src/page/worker/content-address.js'

const SCOPE = 'https://site.example/app/'
const HASH = 'ab'.repeat(32)

describe('the address of a content', () => {
  it('is read as it was written', () => {
    for (const name of ['', 'song.wav', 'a/b?c#d%.mp4', 'Lied für Ü — №.ogg', '..', 'x'.repeat(200)]) {
      const address = contentAddress(SCOPE, HASH, { name, from: 'https://site.example/f/1', save: true })
      expect(address.startsWith(`${SCOPE}mayfly/${HASH}`)).to.equal(true)
      expect(readContentAddress(SCOPE, address)).to.deep.equal({
        fullHash: HASH,
        name: name === '..' ? '' : name,
        from: 'https://site.example/f/1',
        save: true
      })
    }
    expect(readContentAddress(SCOPE, contentAddress(SCOPE, HASH, { name: 'half \ud83d' }))?.name).to.equal(
      'half '
    )
  })

  it('is nothing else', () => {
    for (const other of [
      SCOPE,
      `${SCOPE}mayfly/`,
      `${SCOPE}mayfly/${HASH.slice(1)}`,
      `${SCOPE}mayfly/${HASH.toUpperCase()}`,
      `${SCOPE}mayfly/${HASH}/a/b`,
      `${SCOPE}other/mayfly/${HASH}`,
      `https://site.example/mayfly/${HASH}`,
      `https://other.example/app/mayfly/${HASH}`,
      `http://site.example/app/mayfly/${HASH}`
    ]) {
      expect(readContentAddress(SCOPE, other), other).to.equal(undefined)
    }
    expect(readContentAddress(SCOPE, `${SCOPE}mayfly/${HASH}/%ff`)?.name).to.equal('')
  })

  it('never leads to another site', () => {
    for (const from of [
      'https://evil.example/',
      '//evil.example/',
      'javascript:alert(1)',
      'http://site.example/'
    ]) {
      const address = `${SCOPE}mayfly/${HASH}?from=${encodeURIComponent(from)}`
      expect(readContentAddress(SCOPE, address)?.from, from).to.equal(undefined)
    }
    expect(readContentAddress(SCOPE, `${SCOPE}mayfly/${HASH}?from=/x.mp4`)?.from).to.equal(
      'https://site.example/x.mp4'
    )
  })
})
