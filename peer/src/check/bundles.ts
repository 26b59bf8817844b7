import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where the scripts of the script tag are built. */
const BUNDLES = fileURLToPath(new URL('../../dist/bundle/', import.meta.url))

/**
 * A name beside a SHA-256 in Base64, as a bundle has those of its parts: in an object, or behind each other where the tool that
 * makes it smaller has put them into a call.
 */
const NAMED_HASH = /\b([a-z]+)["'`]?\s*[:,]\s*["'`](?:sha256-)?([A-Za-z\d+/]{43})=?["'`]/g

/** One of the scripts that this command would put into a site; undefined: they are not built. */
export function bundleOf(name: string, folder = BUNDLES): Promise<Buffer | undefined> {
  return readFile(join(folder, name)).catch(() => undefined)
}

/** By the name of a part, the `integrity` that a script gives it. */
export function integritiesIn(text: string): Map<string, string> {
  return new Map([...text.matchAll(NAMED_HASH)].map(([, name = '', hash = '']) => [name, `sha256-${hash}=`]))
}

/** Whether bytes are what an `integrity` asks for: of the strongest hash in it that browsers know. Where they know none, they ask nothing. */
export function fitsIntegrity(bytes: Uint8Array, integrity: string): boolean {
  const asked = integrity.split(/\s+/).flatMap(text => {
    const [, algorithm = '', hash = ''] = /^(sha256|sha384|sha512)-([^?]+)/.exec(text) ?? []
    return algorithm === '' ? [] : [{ algorithm, hash }]
  })
  const strongest = asked
    .map(({ algorithm }) => algorithm)
    .sort()
    .at(-1)
  if (strongest === undefined) return true
  const found = createHash(strongest).update(bytes).digest()
  return asked.some(
    ({ algorithm, hash }) => algorithm === strongest && found.equals(Buffer.from(hash, 'base64'))
  )
}
