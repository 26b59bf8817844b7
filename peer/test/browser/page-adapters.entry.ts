/** Runs in a browser: the contracts of connectors and sockets on the page's own WebRTC and WebSocket. */
import { runInPage } from './mocha-in-page.js'
import { pageConnector } from '../../src/adapters/page-connector.js'
import { openWebSocket } from '../../src/adapters/web-socket.js'
import { runConnectorContract } from '../ports/connector-contract.js'
import { runSocketContract } from '../ports/socket-contract.js'

runConnectorContract('simple-peer in the page', () =>
  Promise.resolve([pageConnector(), pageConnector()] as const)
)
runSocketContract('the WebSocket of the page', openWebSocket, () => Promise.resolve(`ws://${location.host}/`))

runInPage()
