import { openDhtNode } from '../adapters/hyperdht.js'
import { Identity } from './identity.js'
import { MediatorNetwork } from './mediator-network.js'
import type { NetworkOptions, StartedNetwork } from './options.js'

export type { Log, NetworkCounts, NetworkOptions, StartedNetwork } from './options.js'

/**
 * Joins the network of mediators: binds the DHT socket, then looks for the others in the background.
 *
 * Rejects only when the socket cannot be bound; a port in use has the `code` EADDRINUSE. A bootstrap address
 * that does not answer is logged and tried again. Throws TypeError for a key pair or a URL of the wrong form.
 */
export async function createNetwork(options: NetworkOptions): Promise<StartedNetwork> {
  const identity = new Identity(options.keyPair)
  const node = await openDhtNode({
    host: options.host,
    port: options.dhtPort,
    log: options.log,
    ...(options.bootstrap === undefined ? {} : { bootstrap: options.bootstrap })
  })
  return new MediatorNetwork(node, identity, options)
}
