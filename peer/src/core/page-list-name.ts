/** Where page lists are, below the base of a manifest. */
export const PAGE_LISTS = 'mayfly-pages'

/**
 * What the list of a page is called, by the page's path below the base, of its file or of its URL: pages in folders are called
 * `index`, and many a server leaves endings out.
 *
 * @see docs/SITE.md#page-lists
 */
export function pageListName(path: string): string {
  const name = path.replace(/(^|\/)(index(\.html?)?)?$|\.html?$/i, '')
  return `${PAGE_LISTS}/${name || 'index'}.json`
}
