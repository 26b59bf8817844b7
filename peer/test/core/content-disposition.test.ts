import { expect } from 'chai'
import fc from 'fast-check'
import { dispositionName } from '../../src/core/content-disposition.js'

describe('the file name of a Content-Disposition header', () => {
  const NAMES: Readonly<Record<string, string>> = {
    'attachment; filename="Annual report.pdf"': 'Annual report.pdf',
    'attachment; filename=plain.txt': 'plain.txt',
    'attachment;filename=plain.txt': 'plain.txt',
    ' ATTACHMENT ; FileName = "a;b=c.txt" ': 'a;b=c.txt',
    'inline; filename="shown.pdf"': 'shown.pdf',
    "attachment; filename*=UTF-8''na%C3%AFve%20file.txt": 'naïve file.txt',
    "attachment; filename*=utf-8'en'%E2%82%AC%20rates.csv": '€ rates.csv',
    'attachment; filename="EURO rates"; filename*=utf-8\'\'%e2%82%ac%20rates': '€ rates',
    attachment: '',
    inline: ''
  }
  for (const [header, name] of Object.entries(NAMES))
    it(`is “${name}” in “${header}”`, () => {
      expect(dispositionName(header)).to.equal(name)
    })

  const UNCLEAR = [
    '',
    'attachment; size=5',
    'attachment; filename*=UTF-8\'\'x.pdf; filename="y.pdf"',
    'attachment; filename=a b.txt',
    'attachment; filename="a\\"b.txt"',
    'attachment; filename="unclosed',
    'attachment; filename=""',
    'attachment; filename=',
    'attachment; filename="a%20b.txt"',
    'attachment; filename="=?utf-8?Q?a?="',
    'attachment; filename="na\u00c3\u00afve.txt"',
    'attachment; filename=a.txt; filename=b.txt',
    'attachment; filename*0=a; filename*1=b',
    "attachment; filename*=iso-8859-1'en'%A3.txt",
    "attachment; filename*=UTF-8''%FF.txt",
    "attachment; filename*=UTF-8''%zz.txt",
    "attachment; filename*=UTF-8''",
    'attachment; filename*=plain.txt',
    'filename="a.txt"',
    'attachment, filename="a.txt"',
    'attachment; filename="../../etc/passwd"',
    'attachment; filename="C:\\windows\\x.dll"',
    "attachment; filename*=UTF-8''a%0D%0Ab.txt",
    "attachment; filename*=UTF-8''a%00.txt",
    "attachment; filename*=UTF-8''%E2%80%AEfdp.exe",
    "attachment; filename*=UTF-8''..%2Fx",
    "attachment; filename*=UTF-8''%EF%BB%BFx",
    'attachment; filename=".htaccess"',
    'attachment; filename="x.txt."',
    'attachment; filename="~$x.doc"',
    'attachment; filename="a:b"',
    `attachment; filename="${'x'.repeat(2_000)}"`
  ]
  for (const header of UNCLEAR)
    it(`is left to the browser in ${JSON.stringify(header.slice(0, 60))}`, () => {
      expect(dispositionName(header)).to.equal(undefined)
    })

  it('is a name that no browser changes, or none, or nothing, whatever the header is, and at once', () => {
    const part = fc.constantFrom(
      ';',
      '=',
      '"',
      '\\',
      ' ',
      'filename',
      'filename*',
      "UTF-8''",
      '%41',
      '%',
      '/',
      '.',
      'a',
      '\u0000',
      'é'
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 400 }), parts => {
        const name = dispositionName(`attachment;${parts.join('')}`)
        if (name) expect(name).not.to.match(/[\p{C}\\/"]|^\.|\.$/u)
      })
    )
  })
})
