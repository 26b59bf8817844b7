import { createHash } from 'node:crypto'
import { parsePolicies, type ContentSecurityPolicy } from '../core/content-security-policy.js'

/** What the script tag of a site says. */
export interface TagAttributes {
  /** URL of the loader. */
  readonly script: string
  readonly mediators: readonly string[]
  readonly manifest: string
  readonly worker?: string | undefined
  /** What the loader must hash to, as the attribute has it. */
  readonly integrity?: string | undefined
}

/** The script tag of a site, in the one form that is known again. */
export function scriptTag({ script, integrity, ...data }: TagAttributes): string {
  const checked = integrity === undefined ? '' : ` integrity="${escaped(integrity)}" crossorigin="anonymous"`
  return `<script src="${escaped(script)}"${checked}${dataOf(data)}></script>`
}

/** The same with the loader in it, so that a page need not wait for it. Its parts lie where `script` does. */
export function inlineTag({ script, ...data }: TagAttributes, loader: string): string {
  return `<script data-from="${escaped(script)}"${dataOf(data)}>${inlined(loader)}</script>`
}

/**
 * A script as it may stand within a page: these three begin or end one there. They are in texts of the script only, where
 * the same character can be written so.
 */
export function inlined(script: string): string {
  return script.replaceAll(/<(?=!--|\/?script)/gi, '\\x3C')
}

/** The `integrity` of a script. */
export function integrityOf(script: Uint8Array | string): string {
  return `sha384-${createHash('sha384').update(script).digest('base64')}`
}

const DATA = ' data-mediators="[^"]*" data-manifest="[^"]*"(?: data-worker="[^"]*")?'
const NONCE = '( nonce="[^"]*")?'
const OWN_TAG = new RegExp(
  `^<script${NONCE}(?: src="[^"]*"(?: integrity="[^"]*" crossorigin="anonymous")?${DATA}${NONCE}>|` +
    ` data-from="[^"]*"${DATA}${NONCE}>[^]*)</script>$`
)

/**
 * What a tag that we have written becomes when another one is wanted: that one, with the nonce that the site's template has put in.
 * Undefined where the site has written it itself.
 */
export function updatedTag(written: string, tag: string): string | undefined {
  const [whole, ...nonces] = OWN_TAG.exec(written) ?? []
  if (whole === undefined) return undefined
  const nonce = nonces.find(one => one !== undefined) ?? ''
  return tag.replace('<script', () => `<script${nonce}`)
}

/** Whether policies that a page has in itself let a script run that is written in it. `script`: all that is between its tags. */
export function allowsInline(policies: readonly string[], script: string): boolean {
  return isInlineAllowed(parsePolicies(policies), script)
}

/** Whether all policies let a script run that is written in a page: for its hash, for the `nonce` of its tag, or as any other. */
export function isInlineAllowed(
  policies: readonly ContentSecurityPolicy[],
  script: string,
  nonce?: string
): boolean {
  return policies.every(policy => {
    const sources =
      policy.get('script-src-elem') ?? policy.get('script-src') ?? policy.get('default-src') ?? undefined
    if (sources === undefined) return true
    const isHashed = ['sha256', 'sha384', 'sha512'].some(name =>
      sources.includes(`'${name}-${createHash(name).update(script).digest('base64')}'`)
    )
    const isListed = isHashed || (!!nonce && sources.includes(`'nonce-${nonce}'`))
    // Where hashes or nonces are named, that is all that counts.
    const isStrict = sources.some(source => /^'(nonce|sha\d+)-|^'strict-dynamic'$/i.test(source))
    return isListed || (!isStrict && sources.some(source => /^'unsafe-inline'$/i.test(source)))
  })
}

function dataOf({ mediators, manifest, worker }: Omit<TagAttributes, 'script'>): string {
  const more = worker === undefined ? '' : ` data-worker="${escaped(worker)}"`
  return ` data-mediators="${escaped(mediators.join(' '))}" data-manifest="${escaped(manifest)}"${more}`
}

function escaped(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
}
