import type { FullHash, PeerAddress } from '../identifiers.js'
import { encodeJson } from './json.js'
import type { ClientMessage, MediatorMessage } from './message.js'

/** The text frame of a message, either direction. The `data` of a signal arrives equal, -0 and 1e999 too. */
export function encodeMessage(message: ClientMessage | MediatorMessage): string {
  if (message.type !== 'signal') return JSON.stringify(message)
  return encodeSignal(message, encodeJson(message.data), message.fullHash)
}

/** The text frame of a signal whose `data` is JSON text already. */
export function encodeSignal(address: PeerAddress, dataJson: string, fullHash?: FullHash): string {
  // Ids are hex digits, so nothing here needs escaping.
  const wanted = fullHash === undefined ? '' : `,"fullHash":"${fullHash}"`
  return `{"type":"signal","peerId":"${address.peerId}","mediatorId":"${address.mediatorId}","data":${dataJson}${wanted}}`
}
