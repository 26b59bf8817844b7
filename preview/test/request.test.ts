import { expect } from 'chai'
import { readRequest } from '../src/request.js'

const HASH = 'ab'.repeat(32)
const OTHER = 'cd'.repeat(32)

describe('what a visitor pastes', () => {
  it('is a link', () => {
    const link = readRequest(
      `  http://host/leecher_preview.html#m=ws://host:1&f=${HASH},5,text/plain,a.txt \n`
    )
    expect(link.mediators).to.deep.equal(['ws://host:1'])
    expect(link.files).to.deep.equal([{ fullHash: HASH, name: 'a.txt', type: 'text/plain', length: 5 }])
  })

  it('is a full hash in either case', () => {
    expect(readRequest(HASH.toUpperCase()).files[0]?.fullHash).to.equal(HASH)
  })

  it('is a list as the command line prints it, with links between', () => {
    const link = readRequest(
      `${HASH}  folder/my photo.jpg\r\n\r\nhttp://x/#f=${OTHER},1,,b\nnonsense\n${HASH}`
    )
    expect(link.files.map(file => file.name)).to.deep.equal(['my photo.jpg', 'b'])
    expect(link.unreadable).to.equal(1)
  })

  it('is a name as the command line escapes it', () => {
    const link = readRequest(`\\${HASH}  folder/a\\nb\\\\c\\u202egpj.txt`)
    expect(link.files.map(file => file.name)).to.deep.equal(['c_gpj.txt'])
    expect(readRequest(`\\${HASH}  folder/a\\nb.txt`).files[0]?.name).to.equal('a_b.txt')
  })

  it('is several files of one content, and the same line only once', () => {
    const lines = [
      `${HASH}  a/__init__.py`,
      `${HASH}  b/__init__.py`,
      `${HASH}  c.txt`,
      `${HASH}  c.txt`,
      HASH
    ]
    const { files } = readRequest(lines.join('\n'))
    expect(files.map(file => file.name)).to.deep.equal(['__init__.py', '__init__.py', 'c.txt'])
  })

  it('is a link in a sentence', () => {
    for (const text of [
      `Here (see http://host/leecher_preview.html#m=ws://host:1&f=${HASH},5,,a.txt).`,
      `#5 is [this](http://host/#f=${HASH},5,,a.txt), or <http://host/#f=${HASH},5,,a.txt> too`.split(
        ' or '
      )[0] ?? '',
      `http://host/#f=${HASH},5,,a.txt, thanks`
    ]) {
      expect(
        readRequest(text).files.map(file => file.name),
        text
      ).to.deep.equal(['a.txt'])
    }
    for (const text of [`(${HASH})`, `"${HASH}"`, `${HASH}.`])
      expect(
        readRequest(text).files.map(file => file.fullHash),
        text
      ).to.deep.equal([HASH])
  })

  it('is nothing that can be fetched', () => {
    for (const text of ['hello', HASH.slice(1), HASH + '0', 'http://x/#', 'http://x/#f=1', '#m=ws://x']) {
      expect(readRequest(text).files, text).to.deep.equal([])
      expect(readRequest(text).unreadable, text).to.equal(1)
    }
    expect(readRequest(' \n ').unreadable).to.equal(0)
  })
})
