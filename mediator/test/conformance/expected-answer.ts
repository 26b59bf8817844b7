/**
 * What PROTOCOL.md says about one text frame of a peer that has shaken hands, was introduced to nobody and is
 * within its rates: the error code that answers it, `peers`, or `nothing`. Written from the page alone.
 */
export type Answer = string

const HASH = /^[0-9a-f]{64}$/
const PEER = /^[0-9a-f]{40}$/
const MAX_DEPTH = 64
const MAX_DATA_BYTES = 16_384

type Fields = Record<string, unknown>

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value of an own field; `undefined` is absence, for JSON has no other. */
function field(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

function matches(value: unknown, form: RegExp): boolean {
  return typeof value === 'string' && form.test(value) && !value.endsWith('\n')
}

function isAddress(value: unknown): boolean {
  return isObject(value) && matches(field(value, 'peerId'), PEER) && matches(field(value, 'mediatorId'), HASH)
}

/** Levels of arrays and objects; an own loop, for recursion ends at some thousands. */
function depthOf(value: unknown): number {
  let level: unknown[] = [value]
  let depth = 0
  for (;;) {
    level = level.filter(item => typeof item === 'object' && item !== null)
    if (level.length === 0) return depth
    depth += 1
    level = level.flatMap(item => Object.values(item as object) as unknown[])
  }
}

function optional(value: unknown, isRight: (value: unknown) => boolean): boolean {
  return value === undefined || isRight(value)
}

function hasForm(type: string, message: Fields): boolean {
  const get = (name: string): unknown => field(message, name)
  const isHash = (value: unknown): boolean => matches(value, HASH)
  if (type === 'get_peers') {
    const isList = (value: unknown): boolean => Array.isArray(value) && value.every(isAddress)
    return isHash(get('fullHash')) && optional(get('connected'), isList)
  }
  if (type === 'signal') {
    const hasData = get('data') !== undefined && depthOf(get('data')) <= MAX_DEPTH
    return isAddress(message) && hasData && optional(get('fullHash'), isHash)
  }
  const [one, many] = [get('fullHash'), get('fullHashes')]
  if (one !== undefined) return many === undefined && isHash(one)
  return Array.isArray(many) && many.every(isHash)
}

/** The answer that the protocol names for the frame `text`. */
export function expectedAnswer(text: string): Answer {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return 'bad_message'
  }
  if (!isObject(message)) return 'bad_message'
  const type = field(message, 'type')
  if (typeof type !== 'string') return 'bad_message'
  if (type === 'handshake') return 'already_established'
  if (!['get_peers', 'signal', 'announce', 'finish'].includes(type)) return 'unknown_type'
  if (!hasForm(type, message)) return 'bad_message'
  if (type === 'get_peers') return 'peers'
  if (type !== 'signal') return 'nothing'
  const bytes = Buffer.byteLength(JSON.stringify(field(message, 'data')))
  return bytes > MAX_DATA_BYTES ? 'message_too_large' : 'peer_unreachable'
}
