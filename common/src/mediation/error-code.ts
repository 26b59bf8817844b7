/** Codes of the `error` message of the mediation protocol. See docs/PROTOCOL.md#errors. */
export const ERROR_CODES = [
  'bad_message',
  'unknown_type',
  'not_established',
  'already_established',
  'message_too_large',
  'peer_id_in_use',
  'unauthorized',
  'peer_unreachable',
  'too_many_hashes',
  'forbidden',
  'rate_limited'
] as const

/** A code that this version knows. A client treats any other as an error it can only report. */
export type ErrorCode = (typeof ERROR_CODES)[number]

/** Codes that count towards `maxViolations`. */
export const VIOLATIONS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'bad_message',
  'unknown_type',
  'not_established',
  'already_established',
  'message_too_large'
])
