/** A name in ASCII, as a token or between quotes, and one of RFC 8187 in UTF-8 behind it: either, both or none. */
const HEADER =
  /^\s*[\w-]+\s*(?:;\s*filename\s*=\s*(?:"([ !#$&-[\]-~]+)"|([!#$&-:<-[\]-~]+))\s*)?(?:;\s*filename\*\s*=\s*utf-8'[\w-]*'([!-&(-:<-~]+)\s*)?$/i
/** Longer headers are left to the browser. */
const MAX_HEADER = 1_024

/**
 * The file name of a `Content-Disposition` header (RFC 6266); empty: it names none. Undefined: browsers read it in different
 * ways, or change the name, so that only they know; and where it is written as servers seldom do. Never throws.
 */
export function dispositionName(header: string): string | undefined {
  const match = header.length > MAX_HEADER ? undefined : HEADER.exec(header)
  if (!match) return undefined
  const [, quoted, token = '', extended] = match
  try {
    const name = decodeURIComponent(extended ?? '') || (quoted ?? token)
    // What a browser would change something of.
    return /^\.|[\p{C}\p{Zl}\p{Zp}\\/:*?"<>|~]|[. ]$/u.test(name) ? undefined : name
  } catch {
    return undefined
  }
}
