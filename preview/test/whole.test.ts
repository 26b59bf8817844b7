import { expect } from 'chai'
import { shareText } from '../src/figure.js'
import { wholeOf } from '../src/leecher/whole.js'
import type { DownloadProgress } from '../src/library.js'

describe('the share of a source', () => {
  const peer = (bytes: number): DownloadProgress['peers'][number] =>
    ({ bytes }) as DownloadProgress['peers'][number]

  it('is one of what is here, so that what was kept is nobody’s', () => {
    expect(wholeOf({ verifiedBytes: 1_000, peers: [peer(300), peer(200)] })).to.equal(1_000)
  })

  it('is never more than all of it, also where some came twice', () => {
    const progress = {
      verifiedBytes: 1_000,
      peers: [peer(1_200), peer(200)],
      origin: { bytes: 600, state: 'asked' } as const
    }
    expect(shareText(1_200, wholeOf(progress))).to.equal('60 %')
    expect(wholeOf(progress)).to.equal(2_000)
  })
})
