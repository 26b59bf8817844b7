import { expect } from 'chai'
import { nodeConnector } from '../../src/adapters/node-connector.js'
import { withoutControlMark } from '../../src/core/sdp.js'
import type { PeerSignal } from '../../src/core/signal-data.js'
import type { Connection } from '../../src/ports/connector.js'
import { runConnectorContract } from '../ports/connector-contract.js'
import { until } from '../until.js'

runConnectorContract(
  'simple-peer in Node.js',
  async () => [await nodeConnector(), await nodeConnector()] as const
)

describe('simple-peer in Node.js', () => {
  it('is available where the package is installed', async () => {
    expect((await nodeConnector()).unavailable).to.equal(undefined)
  })

  it('skips candidates whose name only browsers resolve', async () => {
    const connector = await nodeConnector()
    const signals: PeerSignal[] = []
    const closes: string[] = []
    const connection = connector.connect(
      { initiator: true, iceServers: [] },
      {
        onsignal: signal => void signals.push(signal),
        onopen() {},
        onmessage() {},
        ondrain() {},
        onsuspect() {},
        onclose: reason => void closes.push(reason)
      }
    )
    await until(() => signals.some(signal => signal.type === 'candidate'))
    const line = 'candidate:1 1 udp 2113937151 0f4b6c1e-0000-4000-8000-000000000000.local 50000 typ host'
    connection.signal({ type: 'candidate', candidate: line, sdpMid: '0', sdpMLineIndex: 0 })
    expect(closes).to.deep.equal([])
    connection.close('the test is over')
    await until(() => closes.length === 1)
  })

  it('has one lane with a peer that knows of no second one', async () => {
    const connector = await nodeConnector()
    for (const older of ['offerer', 'answerer']) {
      const ends: Connection[] = []
      const messages: number[] = []
      const start = (initiator: boolean): void => {
        const isOlder = initiator === (older === 'offerer')
        const onsignal = (signal: PeerSignal): void => {
          const heard =
            isOlder && 'sdp' in signal ? { ...signal, sdp: withoutControlMark(signal.sdp) } : signal
          ends[initiator ? 1 : 0]?.signal(heard)
        }
        const onmessage = (message: Uint8Array): void => void messages.push(...message)
        const rest = { onopen() {}, ondrain() {}, onsuspect() {}, onclose() {} }
        ends[initiator ? 0 : 1] = connector.connect(
          { initiator, iceServers: [] },
          { onsignal, onmessage, ...rest }
        )
      }
      start(false)
      start(true)
      const newer = ends[older === 'offerer' ? 1 : 0] as Connection
      await until(() => {
        newer.send(new Uint8Array([1]), 'control')
        return messages.length > 0
      })
      expect(newer.hasControl).to.equal(false)
      for (const end of ends) end.close('the test is over')
    }
  })
})
