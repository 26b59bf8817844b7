import SimplePeer from 'simple-peer'
import type { Connector } from '../ports/connector.js'
import { simplePeerConnector, type SimplePeerPlatform } from './simple-peer-connector.js'
import { unavailableConnector } from './unavailable-connector.js'

/** The connector of Node.js, over the optional package @roamhq/wrtc. */
export async function nodeConnector(): Promise<Connector> {
  try {
    const { default: wrtc } = (await import('@roamhq/wrtc')) as unknown as {
      default: SimplePeerPlatform['wrtc']
    }
    if (wrtc === undefined) return unavailableConnector('@roamhq/wrtc has no WebRTC for this platform')
    return simplePeerConnector({ Peer: SimplePeer, wrtc, resolvesLocalNames: false, reportsDrain: false })
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    return unavailableConnector(`WebRTC in Node.js needs a package: npm i @roamhq/wrtc@0.10.0 (${why})`)
  }
}
