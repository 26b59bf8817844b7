import { isFullHash } from '@mayfly/common'

/** Below the scope of the worker. */
const FOLDER = 'mayfly/'

/** What an address of a content says. */
export interface ContentAddress {
  readonly fullHash: string
  /** Path on the same site where the content is too, for when no page answers. */
  readonly from: string | undefined
}

/** The address of a content below a scope. `name` is for people, and for the name of a saved file. */
export function contentAddress(
  scope: string,
  fullHash: string,
  {
    name = '',
    from,
    save = false
  }: { readonly name?: string; readonly from?: string; readonly save?: boolean }
): string {
  // Halves of characters have no encoding, and dots are a way through folders.
  const safe = /^\.{1,2}$/.test(name) ? '' : encodeURIComponent(name.replace(/[\ud800-\udfff]/gu, ''))
  const url = new URL(`${FOLDER}${fullHash}${safe === '' ? '' : '/' + safe}`, scope)
  if (from !== undefined) url.searchParams.set('from', from)
  if (save) url.searchParams.set('save', '')
  return url.href
}

/** Reads an address. Undefined where it is none of a content. */
export function readContentAddress(
  scope: string,
  address: string
): (ContentAddress & { readonly save: boolean; readonly name: string }) | undefined {
  const base = new URL(FOLDER, scope)
  const url = new URL(address)
  if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname)) return undefined
  const [fullHash = '', name = '', ...more] = url.pathname.slice(base.pathname.length).split('/')
  if (!isFullHash(fullHash) || more.length > 0) return undefined
  return {
    fullHash,
    name: decoded(name),
    from: sameSite(url.searchParams.get('from'), url),
    save: url.searchParams.has('save')
  }
}

/** Never leads to another site, whoever made the address. */
function sameSite(from: string | null, { origin }: URL): string | undefined {
  if (from === null || !URL.canParse(from, origin)) return undefined
  const url = new URL(from, origin)
  return url.origin === origin ? url.href : undefined
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return ''
  }
}
