import { pageNetwork } from '../../src/adapters/page-network.js'
import type { PeerSignal } from '../../src/core/signal-data.js'
import type { Connector } from '../../src/ports/connector.js'
import { openConnection } from '../../src/site/connection.js'

/**
 * The connection of the script tag behind the port of the library, so that it keeps the same contract. What it leaves out
 * of the port for the sake of its size:
 *
 * - `bufferedAmountLowThreshold` is its own, 32 KiB, and cannot be set: it tells of a drain at that or less, which is
 *   also at most what the contract's case has set.
 * - It counts what waits in both lanes as one: all of it is `bufferedAmount`, and `controlBufferedAmount` is 0.
 * - It never calls `onsuspect`, and has no reason for `onclose`: what the owner gave is told here.
 */
export function siteConnector(): Connector {
  return {
    unavailable: undefined,
    connect: ({ initiator, iceServers }, events) => {
      let reason = 'the connection closed'
      const connection = openConnection(
        iceServers as RTCIceServer[],
        initiator,
        {
          onsignals: signals => {
            for (const signal of signals) events.onsignal(signal as unknown as PeerSignal)
          },
          onopen: () => events.onopen(),
          onmessage: message => events.onmessage(message),
          ondrain: () => events.ondrain(),
          onclose: () => events.onclose(reason)
        },
        pageNetwork()
      )
      if (!connection) throw new Error('the browser makes no more of them')
      return {
        get hasControl() {
          return connection.hasControl
        },
        get bufferedAmount() {
          return connection.buffered
        },
        controlBufferedAmount: 0,
        bufferedAmountLowThreshold: 32_768,
        signal: signal => void connection.signal({ ...signal }),
        send: (message, lane = 'data') => connection.send(message, lane),
        close: given => {
          reason = given
          connection.close()
        }
      }
    }
  }
}
