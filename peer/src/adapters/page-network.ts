import { isPublicPage, type PageNetwork } from '../core/local-network.js'

let permission: PermissionStatus | undefined
let isAsked = false

/**
 * Where this page is, and what the visitor allows it, without asking the visitor; the permission is known a moment after the
 * first call. What browsers without Local Network Access let through counts as not granted: who updates one meanwhile is not
 * asked either. Outside of a page: not public.
 */
export function pageNetwork(): PageNetwork {
  const { location, origin } = globalThis as { location?: Location; origin?: string }
  // A document without an address has the origin of whoever made it, unless it is sandboxed.
  const isPublic = !!location && isPublicPage(origin && origin !== 'null' ? new URL(origin) : location)
  if (isPublic && !isAsked) {
    isAsked = true
    // Since it was divided in two it has another name. Some browsers know neither.
    void look('local-network').catch(() => look('local-network-access').catch(() => {}))
  }
  return { isPublic, isGranted: permission?.state === 'granted' }
}

async function look(name: string): Promise<void> {
  permission = await navigator.permissions.query({ name: name as PermissionName })
}
