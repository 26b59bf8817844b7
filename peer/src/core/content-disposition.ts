/** Longer headers are left to the browser. */
const MAX_HEADER = 1_024

/** `; name=value`, the value a token or between quotes without escapes, which browsers read in different ways. */
const PARAMETER = /;\s*([\w-]+\*?)\s*=\s*(?:"([^"\\]*)"|([^\s";]+))\s*/g

/**
 * The file name of a `Content-Disposition` header (RFC 6266, and RFC 8187 in UTF-8); empty: it names none. Undefined: browsers
 * read it in different ways, or change the name, so that only they know. Never throws.
 */
export function dispositionName(header: string): string | undefined {
  if (header.length > MAX_HEADER) return undefined
  const values = new Map<string, string>()
  let isTwice = false
  const rest = header.replace(PARAMETER, (_, key: string, quoted?: string, token?: string) => {
    const name = key.toLowerCase()
    isTwice ||= values.has(name)
    values.set(name, quoted ?? token ?? '')
    return ''
  })
  if (isTwice || !/^\s*[\w-]*\s*$/.test(rest)) return undefined
  const extended = values.get('filename*')
  const plain = values.get('filename')
  if (extended === undefined && plain === undefined) return ''
  // Some decode these, some do not.
  if (extended === undefined)
    return plain !== undefined && /^(?!.*(%|=\?))[ -~]+$/.test(plain) ? safe(plain) : undefined
  const [, text] = /^utf-8'[\w-]*'([^']+)$/i.exec(extended) ?? []
  try {
    return text === undefined ? undefined : safe(decodeURIComponent(text))
  } catch {
    return undefined
  }
}

/** Undefined where a browser would change something of it. */
function safe(name: string): string | undefined {
  return /^(?!\.)[^\p{C}\p{Zl}\p{Zp}\\/:*?"<>|~]+(?<![. ])$/u.test(name) ? name : undefined
}
