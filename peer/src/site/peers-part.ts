/** The part of the script tag that speaks with other visitors, and fetches whole objects from them: `mayfly-peers.js`. */
import { reachabilityOf, type Reachability } from '../core/reachability.js'
import type { PartsScope, PeersPart } from './parts.js'
import { openPeers } from './peers.js'
import { present } from './presenter.js'

/** What is known of the network: the page's, as long as it is there. */
let reach: Reachability | undefined

const part: PeersPart = {
  present,
  openPeers: host => {
    if (!reach) {
      reach = reachabilityOf(host.reach.read(), Date.now())
      if (host.hasMoved()) reach.changed()
      for (const type of ['online', 'offline']) addEventListener(type, () => reach?.changed())
    }
    return openPeers(host, reach)
  }
}

;(globalThis as unknown as PartsScope).mayfly.parts['peers'] = part
