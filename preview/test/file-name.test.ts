import { expect } from 'chai'
import fc from 'fast-check'
import { cleanName, nameFor } from '../src/file-name.js'

describe('the name of a file from outside', () => {
  it('stays as it is when it is harmless', () => {
    for (const name of ['photo.jpg', 'Sommer & Sonne (1).jpeg', '日本語.txt', 'a.tar.gz', 'emoji 🦋.png']) {
      expect(cleanName(name)).to.equal(name)
    }
  })

  it('never leads into another folder or hides itself', () => {
    expect(cleanName('../../etc/passwd')).to.equal('_.._etc_passwd')
    expect(cleanName('C:\\Windows\\system.ini')).to.equal('C__Windows_system.ini')
    expect(cleanName('...bashrc. . ')).to.equal('bashrc')
    expect(cleanName('aux.txt')).to.equal('_aux.txt')
  })

  it('reads in the order in which it is written', () => {
    expect(cleanName('invoice\u202egpj.exe')).to.equal('invoice_gpj.exe')
    expect(cleanName('a\u0000b\nc\u2028d')).to.equal('a_b_c_d')
  })

  it('keeps the extension when it is cut', () => {
    const name = cleanName('x'.repeat(500) + '.jpeg')
    expect([...name]).to.have.length(120)
    expect(name.endsWith('….jpeg')).to.equal(true)
  })

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        name => cleanName(cleanName(name)) === cleanName(name)
      )
    )
  })

  it('comes from the hash where there is none', () => {
    expect(nameFor('ab'.repeat(32), 'png')).to.equal('mayfly-abababab.png')
    expect(nameFor('ab'.repeat(32), '')).to.equal('mayfly-abababab')
  })
})
