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

  const byScript: readonly (readonly [string, Partial<SourceQuestion>, boolean])[] = [
    ["script-src 'strict-dynamic' 'nonce-x'", {}, true],
    ["script-src 'strict-dynamic' 'nonce-x'", { isByScript: false }, false],
    ["script-src 'nonce-x'", {}, false],
    ["script-src 'nonce-x'", { nonce: 'x' }, true],
    ["script-src 'sha256-+a/b='", { integrity: 'sha256-+a/b=' }, true],
    ["script-src 'sha256--a_b='", { integrity: 'sha256-+a/b=' }, true],
    ["script-src 'sha256-+a/b='", { integrity: 'sha256-+a/b= sha384-c' }, false],
    ["script-src 'sha256-other='", { integrity: 'sha256-+a/b=' }, false],
    ["script-src 'nonce-'", { nonce: '' }, false],
    ["script-src 'strict-dynamic'", { directive: 'worker-src' }, true],
    ["script-src 'nonce-x'", { directive: 'worker-src', nonce: 'x' }, false]
  ]
  for (const [policy, more, isFine] of byScript) {
    it(`"${policy}" ${isFine ? 'allows' : 'does not allow'} a script by a script with ${JSON.stringify(more)}`, () => {
      const question = { directive: 'script-src-elem', url: new URL('https://cdn.example/a.js') } as const
      const asked = { ...question, page: PAGE, isByScript: true, ...more }
      expect(isAllowed(parsePolicies([policy]), asked)).to.equal(isFine)
    })
  }

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
