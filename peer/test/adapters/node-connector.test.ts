import { expect } from 'chai'
import { nodeConnector } from '../../src/adapters/node-connector.js'
import type { PeerSignal } from '../../src/core/signal-data.js'
import type { Connector } from '../../src/ports/connector.js'
import { runConnectorContract, runRtcContract } from '../ports/connector-contract.js'
import { until } from '../until.js'

const both = async (): Promise<readonly [Connector, Connector]> => [
  await nodeConnector(),
  await nodeConnector()
]
runConnectorContract('simple-peer in Node.js', both)
runRtcContract('simple-peer in Node.js', both)

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
})
