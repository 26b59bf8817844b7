/** The cache of a site, named by the URL of its manifest: several sites may share an origin. Empty: it has none. */
export function storeName(manifestUrl: string): string {
  return `mayfly-objects ${manifestUrl}`
}
