import { encodeJson } from '../mediation/json.js'
import type { ReplicationHandshake } from '../mediation/message.js'
import type { ReplicationMessage } from './replication-message.js'

/** The text frame for a message to another mediator. `data` of a signal reads back as exactly what it was. */
export function encodeReplicationMessage(message: ReplicationMessage | ReplicationHandshake): string {
  if (message.type !== 'route') return JSON.stringify(message)
  const { data, ...rest } = message
  // The rest is an object with fields: its last character is the closing brace.
  return `${JSON.stringify(rest).slice(0, -1)},"data":${encodeJson(data)}}`
}
