import type { NetworkOptions, StartedNetwork } from './options.js'

export type { KeyPair, Log, NetworkCounts, NetworkOptions, StartedNetwork } from './options.js'

/**
 * Joins the network of mediators: binds the DHT socket, then looks for the others in the background.
 *
 * Rejects only when the socket cannot be bound; a port in use has the `code` EADDRINUSE. A bootstrap address
 * that does not answer is logged and tried again.
 */
export async function createNetwork(options: NetworkOptions): Promise<StartedNetwork> {
  await Promise.resolve()
  throw new Error(`not built yet: ${options.host}`)
}
