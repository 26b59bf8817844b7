/** Runs in a browser: the contracts of connectors and sockets on the page's own WebRTC and WebSocket. */
import { runInPage } from './mocha-in-page.js'
import { pageConnector as nativeConnector } from '../../src/adapters/native-connector.js'
import { pageConnector } from '../../src/adapters/page-connector.js'
import { openWebSocket } from '../../src/adapters/web-socket.js'
import type { Connector } from '../../src/ports/connector.js'
import { runConnectorContract, runRtcContract } from '../ports/connector-contract.js'
import { runSocketContract } from '../ports/socket-contract.js'
import { siteConnector } from '../site/site-connector.js'

const CONNECTORS: readonly (readonly [string, () => Connector])[] = [
  ['simple-peer', pageConnector],
  ['RTCPeerConnection of the library', nativeConnector],
  ['RTCPeerConnection of the script tag', siteConnector]
]
for (const [offerer, first] of CONNECTORS) {
  for (const [answerer, second] of CONNECTORS) {
    const both = (): Promise<readonly [Connector, Connector]> => Promise.resolve([first(), second()])
    runConnectorContract(`${offerer} in the page that offers to ${answerer}`, both)
    runRtcContract(`${offerer} in the page that offers to ${answerer}`, both)
  }
}
runSocketContract('the WebSocket of the page', openWebSocket, () => Promise.resolve(`ws://${location.host}/`))

runInPage()
