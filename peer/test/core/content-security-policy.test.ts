import { expect } from 'chai'
import fc from 'fast-check'
import { isAllowed, parsePolicies, type SourceQuestion } from '../../src/core/content-security-policy.js'

const PAGE = new URL('https://shop.example/a/page.html')

function allows(
  policy: string,
  directive: SourceQuestion['directive'],
  url: string,
  nonce?: string
): boolean {
  return isAllowed(parsePolicies([policy]), { directive, url: new URL(url), page: PAGE, nonce })
}

describe('a content security policy', () => {
  const yes: readonly (readonly [string, SourceQuestion['directive'], string])[] = [
    ['', 'connect-src', 'wss://m.example'],
    ["img-src 'none'", 'connect-src', 'wss://m.example'],
    ['connect-src wss://m.example', 'connect-src', 'wss://m.example/'],
    ['connect-src WSS://M.example:443', 'connect-src', 'wss://m.example/x'],
    ['connect-src wss:', 'connect-src', 'wss://m.example'],
    ['connect-src ws://m.example', 'connect-src', 'wss://m.example'],
    ['connect-src wss://*.example', 'connect-src', 'wss://m.example'],
    ['connect-src wss://m.example:*', 'connect-src', 'wss://m.example:8443'],
    ['connect-src *', 'connect-src', 'wss://m.example'],
    ["connect-src 'self'", 'connect-src', 'wss://shop.example'],
    ["default-src 'self'", 'connect-src', 'https://shop.example/m.json'],
    ["default-src 'none'; connect-src 'self'", 'connect-src', 'https://shop.example/m.json'],
    ["img-src 'self' blob:", 'img-src', 'blob:https://shop.example/x'],
    ["script-src 'self'", 'worker-src', 'https://shop.example/w.js'],
    ['script-src shop.example/js/', 'script-src-elem', 'https://shop.example/js/a.js'],
    ['script-src shop.example/js/a.js', 'script-src-elem', 'https://shop.example/js/a.js']
  ]
  for (const [policy, directive, url] of yes) {
    it(`"${policy}" allows ${url} as ${directive}`, () => {
      expect(allows(policy, directive, url)).to.equal(true)
    })
  }

  const no: readonly (readonly [string, SourceQuestion['directive'], string])[] = [
    ["default-src 'self'", 'connect-src', 'wss://m.example'],
    ["connect-src 'none'", 'connect-src', 'wss://m.example'],
    ['connect-src', 'connect-src', 'wss://m.example'],
    ['connect-src https:', 'connect-src', 'wss://m.example'],
    ['connect-src wss://m.example', 'connect-src', 'wss://m.example:8443'],
    ['connect-src wss://m.example', 'connect-src', 'ws://m.example'],
    ['connect-src wss://*.example', 'connect-src', 'wss://example'],
    ["connect-src 'none'; connect-src *", 'connect-src', 'wss://m.example'],
    ['connect-src *, connect-src wss://n.example', 'connect-src', 'wss://m.example'],
    ['img-src *', 'img-src', 'blob:https://shop.example/x'],
    ["img-src 'self'", 'img-src', 'blob:https://shop.example/x'],
    ["default-src 'self'; worker-src 'none'", 'worker-src', 'https://shop.example/w.js'],
    ['script-src shop.example/js', 'script-src-elem', 'https://shop.example/js/a.js'],
    ["script-src 'self' 'strict-dynamic'", 'script-src-elem', 'https://shop.example/a.js']
  ]
  for (const [policy, directive, url] of no) {
    it(`"${policy}" does not allow ${url} as ${directive}`, () => {
      expect(allows(policy, directive, url)).to.equal(false)
    })
  }

  it('allows a script by its nonce', () => {
    expect(
      allows("script-src 'strict-dynamic' 'nonce-x'", 'script-src-elem', 'https://cdn.example/a.js', 'x')
    ).to.equal(true)
    expect(allows("script-src 'nonce-x'", 'script-src-elem', 'https://cdn.example/a.js', 'y')).to.equal(false)
  })

  it('never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), texts => {
        isAllowed(parsePolicies([...texts, `connect-src ${texts.join(' ')}`]), {
          directive: 'connect-src',
          url: new URL('wss://m.example'),
          page: PAGE
        })
      })
    )
  })
})
