import type { ObjectSession, SessionOptions } from './objects.js'

/** What `mayfly-objects.js` gives the loader. */
export type ObjectsPart = (
  options: Omit<SessionOptions, 'store'> & { readonly storeBytes: number }
) => ObjectSession
