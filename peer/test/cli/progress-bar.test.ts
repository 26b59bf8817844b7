import { expect } from 'chai'
import type { DownloadProgress } from '../../src/api.js'
import { hashingLine, progressLine } from '../../src/cli/progress-bar.js'

const half: DownloadProgress = {
  state: 'downloading',
  length: 98_900_000,
  verifiedBytes: 49_450_000,
  bytesPerSecond: 33_900_000,
  secondsLeft: 1.2,
  peers: [],
  wastedBytes: 0
}

describe('the progress bar', () => {
  it('says how much of it is there, how fast, from how many, and how long it takes', () => {
    expect(progressLine(half, 100)).to.equal(
      '██████████░░░░░░░░░░ 50 % · 49.5 of 98.9 MB · 33.9 MB/s · 0 peers · 2 s left'
    )
    expect(progressLine({ ...half, secondsLeft: 61 }, 100)).to.contain('1 min 1 s left')
  })

  it('leaves the time out at the end', () => {
    const line = progressLine({ ...half, state: 'complete', verifiedBytes: 98_900_000, secondsLeft: 0 }, 80)
    expect(line).to.contain('100 %').and.not.to.contain('left')
  })

  it('fits the terminal, and takes one that does not say for a usual one', () => {
    expect(progressLine(half, 30)).to.have.length(29)
    expect(progressLine(half, 0)).to.have.length.within(60, 79)
    expect(progressLine({ ...half, length: undefined, state: 'searching' }, 0)).to.equal(
      'looking for peers …'
    )
  })

  it('says how much of what is hashed is done', () => {
    expect(hashingLine(25e6, 50e6, 80)).to.equal('██████████░░░░░░░░░░ 50 % · 25.0 of 50.0 MB hashed')
    expect(hashingLine(0, 0, 80)).to.contain('100 %')
    expect(hashingLine(1, 2, 20)).to.have.length(19)
  })
})
