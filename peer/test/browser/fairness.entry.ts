/** Runs in a page with a strict content security policy: what a visitor sees of sharing, and what is kept of it. */
import { runInPage } from './mocha-in-page.js'
import { expect } from 'chai'
import { maySharePeers } from '../../src/core/site-worth.js'
import { uploadBudget, uploadLimits } from '../../src/core/upload-budget.js'
import { showBadge, type BadgeHost } from '../../src/site/badge.js'
import { watchConditions } from '../../src/site/conditions.js'
import { sharingState } from '../../src/site/sharing-state.js'

// The script runs before there is a body.
document.documentElement.append(document.createElement('body'))

const violations: string[] = []
document.addEventListener('securitypolicyviolation', event => void violations.push(event.violatedDirective))

const hostOf = (): BadgeHost & { given: number; stopped: boolean } => ({
  given: 12_345_678,
  received: 30_000_000,
  stopped: false,
  onchange: null,
  stop() {
    this.stopped = true
  },
  start() {
    this.stopped = false
  }
})
const parts = () => {
  const badge = document.querySelector('mayfly-badge')!
  const { shadowRoot } = badge
  return { badge, line: shadowRoot!.querySelector('span')!, button: shadowRoot!.querySelector('button')! }
}

describe('the badge', () => {
  it('says in one line what is shared, and follows it', () => {
    const host = hostOf()
    const hide = showBadge(host)
    const { line } = parts()
    expect(line.textContent).to.equal('12 MB given, 30 MB from other visitors')
    host.given = 400_000
    host.onchange?.()
    expect(line.textContent).to.equal('0.4 MB given, 30 MB from other visitors')
    hide()
    expect(document.querySelector('mayfly-badge')).to.equal(null)
    expect(host.onchange).to.equal(null)
  })

  it('stops and starts by its button, which keeps the focus', () => {
    const host = hostOf()
    const hide = showBadge(host)
    const { badge, line, button } = parts()
    button.focus()
    button.click()
    expect([host.stopped, button.textContent]).to.deep.equal([true, 'Share again'])
    expect([line.textContent, line.ariaLive]).to.deep.equal([
      'Nothing is shared with other visitors',
      'polite'
    ])
    expect(badge.shadowRoot!.activeElement).to.equal(button)
    button.click()
    expect([host.stopped, button.textContent]).to.deep.equal([false, 'Stop sharing'])
    hide()
  })

  it('floats in a corner without moving the page, in its own style, or lies where it was put', () => {
    const height = document.documentElement.scrollHeight
    const hide = showBadge(hostOf())
    const { badge, line } = parts()
    expect(getComputedStyle(badge).position).to.equal('fixed')
    expect(getComputedStyle(line.parentElement!).borderRadius).to.equal('18px')
    expect(document.documentElement.scrollHeight).to.equal(height)
    hide()
    const place = document.body.appendChild(document.createElement('p'))
    const hideThere = showBadge(hostOf(), place)
    expect(getComputedStyle(parts().badge).position).to.equal('static')
    expect(place.contains(parts().badge)).to.equal(true)
    hideThere()
    place.remove()
  })

  it('speaks the language of the site', () => {
    const hide = showBadge({
      ...hostOf(),
      words: { shared: '$2 empfangen, $1 gegeben', stop: 'Nicht teilen' }
    })
    const { line, button } = parts()
    expect(line.textContent).to.equal('30 MB empfangen, 12 MB gegeben')
    expect(button.textContent).to.equal('Nicht teilen')
    hide()
  })
})

describe('what a visitor decided', () => {
  beforeEach(() => localStorage.clear())
  const state = (waits = false, onchange = () => {}) => sharingState(waits, onchange)

  it('is kept for the next visit, and nothing is kept before', () => {
    expect(state().consent()).to.equal('given')
    expect(state(true).consent()).to.equal('wait')
    expect(localStorage).to.have.length(0)
    state(true).allow()
    expect(state(true).consent()).to.equal('given')
    state(true).stop()
    expect(state(true).consent()).to.equal('stopped')
    expect(state().consent()).to.equal('stopped')
    state().start()
    expect(state(true).consent()).to.equal('given')
    expect(Object.keys(localStorage).every(key => key.startsWith('mayfly-'))).to.equal(true)
  })

  it('survives a site that clears what it keeps', () => {
    const open = state()
    open.stop()
    localStorage.clear()
    expect(open.consent()).to.equal('stopped')
    expect(state().consent()).to.equal('stopped')
  })

  it('reaches the other tabs', async () => {
    const frame = document.body.appendChild(document.createElement('iframe'))
    const changed = new Promise<string>(resolve => {
      const here = state(false, () => resolve(here.consent()))
      expect(here.consent()).to.equal('given')
    })
    frame.contentWindow!.localStorage['mayfly-stopped'] = '1'
    expect(await changed).to.equal('stopped')
    frame.remove()
  })

  it('holds until the page goes where nothing can be kept, and then nothing is given', () => {
    const blocked = Object.getOwnPropertyDescriptor(globalThis, 'localStorage')!
    Object.defineProperty(globalThis, 'localStorage', {
      configurable: true,
      get: () => {
        throw new DOMException('no', 'SecurityError')
      }
    })
    try {
      const here = state(true)
      expect(here.consent()).to.equal('wait')
      here.allow()
      expect(here.consent()).to.equal('given')
      here.stop()
      expect(here.consent()).to.equal('stopped')
      expect(uploadBudget(uploadLimits({}), here.budget, 0).ask(1, 0)).to.equal(Infinity)
    } finally {
      Object.defineProperty(globalThis, 'localStorage', blocked)
    }
  })

  it('keeps the budget across visits', () => {
    const now = Date.now()
    const budget = uploadBudget(uploadLimits({}), state().budget, now)
    expect(budget.ask(60_000, now)).to.equal(0)
    budget.settle(now)
    expect(uploadBudget(uploadLimits({}), state().budget, now).totals(now).given).to.equal(60_000)
  })
})

describe('the conditions of this page', () => {
  it('are read without a throw, and let a desktop share', async () => {
    let changes = 0
    const read = watchConditions(() => void (changes += 1))
    const conditions = read()
    expect(conditions).to.include({ able: true, touch: false, hiddenMs: 0 })
    const site = { ...conditions, consent: 'given', pageBytes: 1e6 } as const
    expect(maySharePeers(site).fetch).to.equal(undefined)
    document.dispatchEvent(new Event('visibilitychange'))
    expect(changes).to.be.greaterThan(0)
  })

  it('need no style or script that the policy forbids', () => expect(violations).to.deep.equal([]))
})

runInPage()
