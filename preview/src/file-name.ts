/** Characters of a name: below what every file system allows, also in four-byte UTF-8. */
const MAX_NAME = 120
/** Control characters, what separates folders, what Windows forbids, and what turns reading direction around. */
const FORBIDDEN =
  // eslint-disable-next-line no-control-regex -- control characters are what is being removed
  /[\u0000-\u001f\u007f-\u009f/\\<>:"|?*\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffd]/g
const RESERVED = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i

/**
 * The name that a stranger gave a file, made safe to show and to save under: one path part, no hidden file,
 * nothing that reads in another order than it is written. May be empty.
 */
export function cleanName(name: string): string {
  const plain = name.slice(0, 1024).toWellFormed().normalize('NFC').replace(FORBIDDEN, '_')
  const trimmed = plain.replace(/^[.\s]+/, '').replace(/[.\s]+$/, '')
  return shorten(RESERVED.test(trimmed) ? '_' + trimmed : trimmed)
}

/** The name to save a file under that has none: from its hash and, where known, its type. */
export function nameFor(fullHash: string, extension: string): string {
  return `mayfly-${fullHash.slice(0, 8)}${extension === '' ? '' : '.' + extension}`
}

/** Cuts in the middle, so that the extension stays. */
function shorten(name: string): string {
  const characters = [...name]
  if (characters.length <= MAX_NAME) return name
  const extension = /\.[^.\s]{1,12}$/.exec(name)?.[0] ?? ''
  return characters.slice(0, MAX_NAME - extension.length - 1).join('') + '…' + extension
}
