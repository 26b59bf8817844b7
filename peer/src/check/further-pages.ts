import { firstElementsOf } from '../adapters/html-document.js'
import { boundedFetch, textOf } from './bounded-fetch.js'
import { attribute, resolved } from './found-page.js'

/** Pages that are looked into. */
const MAX_PAGES = 12
const MAX_PAGE_BYTES = 1_048_576
const HTML_LIMITS = { nodes: 20_000, depth: 1_000, ms: 500 }

const SHOWS = /^(img|source|video|audio)$/

/**
 * Of the pages that a page leads to, the `count` whose pictures, films and songs are the most that are not on those before: there is
 * something to take from others. Never rejects.
 */
export async function furtherPages(
  page: URL,
  links: readonly string[],
  count: number
): Promise<readonly string[]> {
  const some = spread(links, MAX_PAGES)
  const [here = [], ...there] = await Promise.all([page.href, ...some].map(shownOn))
  const shown = new Set(here)
  let rest = some.map((link, i) => ({ link, what: there[i] ?? [] }))
  const chosen: string[] = []
  while (chosen.length < count && rest.length > 0) {
    const news = ({ what }: (typeof rest)[0]): number => what.filter(one => !shown.has(one)).length
    const best = rest.reduce((a, b) => (news(b) > news(a) ? b : a))
    chosen.push(best.link)
    for (const one of best.what) shown.add(one)
    rest = rest.filter(one => one !== best)
  }
  return chosen
}

/** At most so many, from the first to the last. */
function spread<Item>(items: readonly Item[], count: number): Item[] {
  const step = Math.max(1, items.length / count)
  return items.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step))
}

/** The addresses of what a page shows, each once. */
async function shownOn(address: string): Promise<string[]> {
  const answer = await boundedFetch(new URL(address), { maxBytes: MAX_PAGE_BYTES })
  if (typeof answer === 'string' || answer.status !== 200) return []
  const { elements } = firstElementsOf(textOf(answer), HTML_LIMITS)
  const addresses = elements
    .filter(({ name }) => SHOWS.test(name))
    .map(element => resolved(attribute(element, 'src'), answer.url)?.href ?? '')
  return [...new Set(addresses)].filter(href => href !== '')
}
