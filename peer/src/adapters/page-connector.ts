import SimplePeer from 'simple-peer/simplepeer.min.js'
import type { Connector } from '../ports/connector.js'
import { promptConnections } from './prompt-connection.js'
import { simplePeerConnector } from './simple-peer-connector.js'
import { unavailableConnector } from './unavailable-connector.js'

/** The connector of a page: its own WebRTC. */
export function pageConnector(): Connector {
  if (SimplePeer.WEBRTC_SUPPORT) {
    const wrtc = {
      RTCPeerConnection: promptConnections(RTCPeerConnection),
      RTCSessionDescription,
      RTCIceCandidate
    }
    return simplePeerConnector({ Peer: SimplePeer, wrtc, resolvesLocalNames: true, reportsDrain: true })
  }
  return unavailableConnector('this browser has no WebRTC, or it is switched off')
}
