import type { IncomingMessage } from 'node:http'
import type { ConnectionQuota } from '../core/connection-quota.js'
import type { Milliseconds } from '../core/milliseconds.js'
import { networkOf } from '../core/network-address.js'
import type { ConnectionOrigin } from '../ports/client-connection.js'
import type { ProxyTrust } from './proxy-trust.js'

/** An upgrade that may not happen, as the HTTP answer to it. */
export interface Refusal {
  readonly status: 403 | 429 | 503
  readonly reason: string
}

/** Who may open a WebSocket. */
export interface GateOptions {
  readonly quota: ConnectionQuota
  readonly trust: ProxyTrust
  /** Page origins that are allowed; all where it is empty. Who is no page sends none and is let in. */
  readonly origins: readonly string[]
}

/** Decides about an upgrade. An admitted connection is to be released from the quota when it is gone. */
export function admit(
  { quota, trust, origins }: GateOptions,
  request: IncomingMessage,
  now: Milliseconds
): ConnectionOrigin | Refusal {
  const page = request.headers.origin?.toLowerCase()
  if (origins.length > 0 && page !== undefined && !origins.includes(page)) {
    return { status: 403, reason: 'this origin is not allowed' }
  }
  const forwardedFor = request.headers['x-forwarded-for']
  const chain = Array.isArray(forwardedFor) ? forwardedFor.join(',') : forwardedFor
  const network = networkOf(trust.clientOf(request.socket.remoteAddress ?? '', chain))
  if (!quota.take(network, now)) return { status: 429, reason: 'too many connections from this address' }
  return { network, secureOnly: page?.startsWith('https:') === true }
}
