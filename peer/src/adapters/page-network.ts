import { isPublicPage, type PageNetwork } from '../core/local-network.js'

let present: { readonly isPublic: boolean; isGranted: boolean } | undefined
let known: Location | undefined

/**
 * Where this page is, and what the visitor allows it, without asking the visitor. What browsers before Local Network Access
 * would let through counts as not granted: who updates the browser meanwhile is not asked either. Outside of a page: not public.
 */
export function pageNetwork(): PageNetwork {
  const { location, origin } = globalThis as { location?: Location; origin?: string }
  if (present && location === known) return present
  known = location
  // A document without an address has the origin of whoever made it, unless it is sandboxed.
  const page = origin && origin !== 'null' ? new URL(origin) : location
  present = { isPublic: !!page && isPublicPage(page), isGranted: false }
  if (present.isPublic) void watch(present)
  return present
}

/** The permission has a name of its own since it was divided in two. */
async function watch(network: { isGranted: boolean }): Promise<void> {
  for (const name of ['local-network', 'local-network-access'])
    try {
      const status = await navigator.permissions.query({ name: name as PermissionName })
      const look = (): void => {
        network.isGranted = status.state === 'granted'
      }
      status.onchange = look
      look()
      return
    } catch {
      // A name that this browser does not know, or no permissions at all.
    }
}
