import type { JsonValue } from './message.js'

/** A parsed JSON object: fields by name, absent ones `undefined`. */
export type JsonObject = { [key: string]: JsonValue | undefined }

/** The object that `text` holds, or `undefined` where it holds anything else or is not JSON. Never throws. */
export function parseJsonObject(text: string): JsonObject | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return isJsonObject(value) ? value : undefined
}

/** True for objects; false for arrays, null and everything else. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** True where arrays and objects are nested in more than `levels` levels. A bare number has none. */
export function isDeeperThan(value: JsonValue, levels: number): boolean {
  // Level by level instead of by recursion: what comes from outside must not choose our stack depth.
  let containers = isContainer(value) ? [value] : []
  for (let depth = 1; containers.length > 0; depth++) {
    if (depth > levels) return true
    containers = containers.flatMap(container => Object.values(container).filter(isContainer))
  }
  return false
}

/**
 * JSON text that `JSON.parse` reads as exactly `value`. As `JSON.stringify`, except that it keeps what
 * `JSON.parse` can read but `JSON.stringify` loses: -0 is written `-0` and the infinities `1e999` and `-1e999`.
 * For values of bounded depth: check with `isDeeperThan` first.
 */
export function encodeJson(value: JsonValue): string {
  return isKeptByStringify(value) ? JSON.stringify(value) : encodeExactly(value)
}

/** Bytes of `text` in UTF-8, for texts without lone surrogates (JSON.stringify leaves none). */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    // A surrogate pair has two units and four bytes: two for each unit.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2
  }
  return bytes
}

type Container = JsonValue[] | { [key: string]: JsonValue }

function isContainer(value: JsonValue): value is Container {
  return typeof value === 'object' && value !== null
}

function isKeptByStringify(value: JsonValue): boolean {
  const open: JsonValue[] = [value]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === 'number' && (Object.is(next, -0) || !Number.isFinite(next))) return false
    if (isContainer(next)) for (const child of Object.values(next)) open.push(child)
  }
  return true
}

function encodeExactly(value: JsonValue): string {
  if (typeof value === 'number') return encodeNumber(value)
  if (!isContainer(value)) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(encodeExactly).join(',')}]`
  const fields = Object.entries(value).map(([key, child]) => `${JSON.stringify(key)}:${encodeExactly(child)}`)
  return `{${fields.join(',')}}`
}

function encodeNumber(value: number): string {
  if (Object.is(value, -0)) return '-0'
  if (Number.isFinite(value)) return String(value)
  return value < 0 ? '-1e999' : '1e999'
}
