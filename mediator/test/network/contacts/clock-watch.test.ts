import { expect } from 'chai'
import { ClockWatch } from '../../../src/network/contacts/clock-watch.js'
import { encodeTime } from '../../../src/network/directory/directory-message.js'
import type { DhtNode } from '../../../src/network/dht-node.js'

const HOUR_MS = 3_600_000
const TOKEN = Uint8Array.of(1)

describe('a watch on the clock', () => {
  let ahead: number
  let told: { level: string; offsetSeconds: number; text: string }[]
  let followed: number[]
  let watch: ClockWatch

  beforeEach(() => {
    ahead = 0
    told = []
    followed = []
    const log = (level: string) => (fields: object, text: string) => {
      told.push({ level, ...(fields as { offsetSeconds: number }), text })
    }
    watch = new ClockWatch({
      node: {
        request: () => Promise.resolve({ value: encodeTime(Date.now() + ahead), token: TOKEN })
      } as unknown as DhtNode,
      log: { debug: log('debug'), info: log('info'), warn: log('warn') },
      toleratedMs: 150_000,
      onoffset: offsetMs => void followed.push(Math.round(offsetMs / 1000))
    })
  })

  const ask = async (...hosts: string[]): Promise<void> => {
    for (const host of hosts) await watch.ask({ host, port: 1 }, TOKEN)
  }
  /** Ticks for a minute from now on. */
  const minute = (): void => {
    for (let ms = 0; ms <= 60_000; ms += 250) watch.tick(performance.now() + ms)
  }

  it('says nothing while it is right', async () => {
    await ask('10.0.0.1', '10.0.0.2')
    minute()
    expect(told).to.deep.equal([])
    expect(watch.offsetMs).to.equal(0)
  })

  it('says once that it is wrong, goes by the time of most, and says when it is right again', async () => {
    ahead = -HOUR_MS
    await ask('10.0.0.1', '10.0.0.2', '10.0.0.3')
    minute()
    minute()
    await ask('10.0.0.1')
    minute()
    expect(told.map(({ level, offsetSeconds }) => [level, offsetSeconds])).to.deep.equal([['warn', -3_600]])
    expect(told[0]?.text).to.match(/clock of this machine is wrong/)
    expect(followed).to.deep.equal([-3_600])
    ahead = 0
    await ask('10.0.0.1', '10.0.0.2', '10.0.0.3')
    minute()
    expect(followed).to.deep.equal([-3_600, 0])
    expect(told.slice(1).map(({ level }) => level)).to.deep.equal(['info'])
  })

  it('says that two differ, and believes neither', async () => {
    ahead = HOUR_MS
    await ask('10.0.0.1')
    watch.tick(performance.now())
    expect(told).to.deep.equal([])
    minute()
    expect(told.map(({ offsetSeconds }) => offsetSeconds)).to.deep.equal([3_600])
    expect(followed).to.deep.equal([])
  })
})
