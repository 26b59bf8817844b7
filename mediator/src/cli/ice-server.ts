import type { IceServer } from '@mayfly/common'
import { CommandLineError } from './command-line-error.js'

const STUN = /^stuns?:[^\s@]+$/
const TURN = /^(turns?):([^\s:@]+):([^\s:@]+)@([^\s@]+)$/

/**
 * Reads `stun:host:port` or `turn:user:password@host:port?transport=udp` (also stuns:, turns:). In user and
 * password `%3A` stands for a colon, as in URLs. Throws CommandLineError on anything else.
 */
export function parseIceServer(text: string): IceServer {
  if (STUN.test(text)) return { urls: text }
  const [, scheme, user, password, host] = TURN.exec(text) ?? []
  if (scheme === undefined || user === undefined || password === undefined || host === undefined)
    throw wrong(text)
  try {
    return {
      urls: `${scheme}:${host}`,
      username: decodeURIComponent(user),
      credential: decodeURIComponent(password)
    }
  } catch {
    throw wrong(text)
  }
}

function wrong(text: string): CommandLineError {
  return new CommandLineError(2, `--ice-server: not stun:host:port or turn:user:password@host:port: ${text}`)
}
