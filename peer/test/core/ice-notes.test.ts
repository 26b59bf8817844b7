import type { IceServer } from '@mayfly/common'
import { expect } from 'chai'
import { readIceNote, writeIceNote } from '../../src/core/ice-notes.js'

const URL = 'wss://one.example'
const STUN: IceServer[] = [{ urls: ['stun:stun.example:3478'] }]

describe('the note of what mediators offer for ICE', () => {
  it('gives for each mediator what it offered last', () => {
    const other: IceServer[] = [{ urls: ['stun:other.example'] }]
    const text = writeIceNote(writeIceNote(undefined, URL, STUN), 'wss://two.example', other)
    expect(readIceNote(text, URL)).to.deep.equal(STUN)
    expect(readIceNote(text, 'wss://two.example')).to.deep.equal(other)
    expect(readIceNote(text, 'wss://three.example')).to.equal(undefined)
    expect(readIceNote(writeIceNote(text, URL, other), URL)).to.deep.equal(other)
  })

  it('does not change when the same is offered again', () => {
    const text = writeIceNote(undefined, URL, STUN)
    expect(writeIceNote(text, URL, STUN)).to.equal(text)
  })

  it('forgets a mediator that offers nothing', () => {
    expect(writeIceNote(writeIceNote(undefined, URL, STUN), URL, [])).to.equal(undefined)
  })

  it('keeps no credentials', () => {
    const turn = [...STUN, { urls: ['turn:turn.example'], username: 'me', credential: 'secret' }]
    expect(writeIceNote(writeIceNote(undefined, URL, STUN), URL, turn)).to.equal(undefined)
  })

  it('stays small, whatever is offered by however many', () => {
    let text: string | undefined
    for (let i = 0; i < 100; i++) {
      const servers = [{ urls: [`stun:${'x'.repeat(1_900)}.example`] }]
      text = writeIceNote(text, `wss://${i}.example`, servers)
    }
    expect(text).to.have.length.within(15_000, 16_500)
    expect(readIceNote(text, 'wss://99.example')).to.not.equal(undefined)
    expect(readIceNote(text, 'wss://91.example')).to.equal(undefined)
    const much = [{ urls: [`stun:${'x'.repeat(3_000)}.example`] }]
    expect(readIceNote(writeIceNote(text, URL, much), URL)).to.equal(undefined)
  })

  it('is nothing where the text is anything else', () => {
    const texts = ['', '{', 'null', '7', '{}', '[]', '[7]', '[[]]', `["${URL}"]`, `[["${URL}"]]`]
    const servers = [
      'null',
      '{}',
      '[7]',
      '[{}]',
      '[{"urls":"http://x"}]',
      '[{"urls":["stun:a"],"credential":7}]'
    ]
    for (const text of [...texts, ...servers.map(value => `[["${URL}",${value}]]`), 'x'.repeat(1_000_000)]) {
      expect(readIceNote(text, URL), text.slice(0, 60)).to.equal(undefined)
      expect(readIceNote(writeIceNote(text, URL, STUN), URL)).to.deep.equal(STUN)
    }
  })
})
