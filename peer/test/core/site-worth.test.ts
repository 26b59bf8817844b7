import { expect } from 'chai'
import { HIDDEN_MS, maySharePeers, type Obstacle, type SiteConditions } from '../../src/core/site-worth.js'

const LAPTOP: SiteConditions = {
  able: true,
  hints: {
    userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)',
    maxTouchPoints: 10,
    hardwareConcurrency: 8
  },
  touch: false,
  hiddenMs: 0,
  consent: 'given',
  pageBytes: 1_000_000,
  visitors: 3
}
const hints = (more: SiteConditions['hints']) => ({ hints: { ...LAPTOP.hints, ...more } })
const connection = (more: object) => hints({ connection: more })

type Row = readonly [title: string, Partial<SiteConditions>, fetch?: Obstacle | undefined, upload?: Obstacle]

const ROWS: readonly Row[] = [
  ['a laptop of which nothing more is known', {}],
  ['a visitor who has stopped it', { consent: 'stopped' }, 'stopped', 'stopped'],
  ['a visitor who was not asked yet', { consent: 'wait' }, 'wait', 'wait'],
  ['a browser without WebRTC or WebCrypto', { able: false }, 'device', 'device'],
  ['one core', hints({ hardwareConcurrency: 1 }), 'device', 'device'],
  ['half a GiB of memory', hints({ deviceMemory: 0.5 }), 'device', 'device'],
  ['two cores and a GiB', hints({ hardwareConcurrency: 2, deviceMemory: 1 })],
  ['a visitor who saves data', connection({ saveData: true, type: 'wifi' }), 'saveData', 'saveData'],
  ['3G', connection({ effectiveType: '3g' }), 'slow', 'slow'],
  ['worse than 2G', connection({ effectiveType: 'slow-2g' }), 'slow', 'slow'],
  ['4G or faster', connection({ effectiveType: '4g', saveData: false })],
  ['a page of 32 kB', { pageBytes: 32_000 }, 'weight'],
  ['a page just above 32 kB', { pageBytes: 32_001 }],
  ['a page of 12 kB whose code is there', { pageBytes: 12_000, codeBytes: 0 }, 'weight'],
  ['a page just above 12 kB whose code is there', { pageBytes: 12_001, codeBytes: 0 }],
  ['a page of which nobody knows the weight', { pageBytes: NaN }, 'weight'],
  ['nobody else', { visitors: 0 }, 'alone'],
  ['a mediator that was not asked yet', { visitors: undefined }],
  ['a laptop on a mobile connection', connection({ type: 'cellular' }), undefined, 'metered'],
  ['a laptop behind a telephone', connection({ type: 'bluetooth' }), undefined, 'metered'],
  ['a browser that says metered', connection({ metered: true, type: 'wifi' }), undefined, 'metered'],
  ['a telephone on a wireless LAN', { ...connection({ type: 'wifi' }), touch: true }],
  ['a telephone on a cable', { ...connection({ type: 'ethernet' }), touch: true }],
  ['a telephone that does not tell', { touch: true }, undefined, 'metered'],
  ['a telephone that is not sure', { ...connection({ type: 'unknown' }), touch: true }, undefined, 'metered'],
  ['a browser that says mobile', hints({ userAgentData: { mobile: true } }), undefined, 'metered'],
  ['a tablet with a mouse', hints({ userAgent: 'Mozilla/5.0 (Linux; Android 14)' }), undefined, 'metered'],
  ['a Mac with a touch screen', hints({ userAgent: '(Macintosh; Intel Mac OS X)' }), undefined, 'metered'],
  ['a Mac', hints({ userAgent: '(Macintosh; Intel Mac OS X)', maxTouchPoints: 0 })],
  ['a low battery', { battery: { level: 0.19, charging: false } }, undefined, 'battery'],
  ['a low battery that is charged', { battery: { level: 0.1, charging: true } }],
  ['a fifth of the battery', { battery: { level: 0.2, charging: false } }],
  ['a page hidden for 5 minutes', { hiddenMs: HIDDEN_MS }, undefined, 'hidden'],
  ['a page hidden for less', { hiddenMs: HIDDEN_MS - 1 }],
  ['all at once, alone and metered', { visitors: 0, touch: true, hiddenMs: 1e9 }, 'alone', 'metered']
]

describe('whether peers pay', () => {
  for (const [title, conditions, fetch, upload] of ROWS) {
    it(`${title}: ${fetch ?? 'fetches'}, ${upload ?? 'gives'}`, () => {
      expect(maySharePeers({ ...LAPTOP, ...conditions })).to.deep.equal({ fetch, upload })
    })
  }
})
