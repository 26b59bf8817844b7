/** Mayfly in Node.js. WebRTC comes from the optional package `@roamhq/wrtc`. */
import type { ConnectOptions } from '../api.js'
import { NodeSession } from './node-session.js'

export { isFullHash } from '@mayfly/common'
export { MayflyError } from '../error.js'
export { NodeSession } from './node-session.js'
export { readable } from './readable.js'
export type * from '../api.js'
export type { FullHash, IceServer, MediatorId, PeerId } from '@mayfly/common'

/** Opens a session. Does not wait for a mediator: see `established`. */
export function connect(
  mediators: string | readonly string[],
  options?: ConnectOptions
): Promise<NodeSession> {
  return NodeSession.connect(mediators, options)
}
