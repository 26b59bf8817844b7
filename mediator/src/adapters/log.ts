import { terminalText } from '@mayfly/common'
import pino from 'pino'
import type { Log } from '../ports/log.js'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** A name of `LOG_LEVELS`. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** JSON lines on standard error, of which a terminal obeys nothing, whatever others have sent. */
export function createLog(level: LogLevel): Log {
  // Written at once: what is said in the last moments before an exit must not be lost.
  const stderr = pino.destination({ fd: 2, sync: true })
  const write = (line: string): boolean => stderr.write(`${terminalText(line.trimEnd())}\n`)
  return pino({ name: 'mayfly-mediator', level }, { write })
}
