/** Runs in a browser: the contracts of connectors and sockets on the page's own WebRTC and WebSocket. */
import { runInPage } from './mocha-in-page.js'
import { pageConnector as nativeConnector } from '../../src/adapters/native-connector.js'
import { pageConnector } from '../../src/adapters/page-connector.js'
import { openWebSocket } from '../../src/adapters/web-socket.js'
import { runConnectorContract } from '../ports/connector-contract.js'
import { runSocketContract } from '../ports/socket-contract.js'

runConnectorContract('simple-peer in the page', () =>
  Promise.resolve([pageConnector(), pageConnector()] as const)
)
runConnectorContract('RTCPeerConnection in the page', () =>
  Promise.resolve([nativeConnector(), nativeConnector()] as const)
)
runConnectorContract('RTCPeerConnection that offers to simple-peer', () =>
  Promise.resolve([nativeConnector(), pageConnector()] as const)
)
runConnectorContract('simple-peer that offers to RTCPeerConnection', () =>
  Promise.resolve([pageConnector(), nativeConnector()] as const)
)
runSocketContract('the WebSocket of the page', openWebSocket, () => Promise.resolve(`ws://${location.host}/`))

runInPage()
