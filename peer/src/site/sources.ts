import type { Came } from './worker/talk.js'

/** Tells where objects came from: an entry in the timeline for each, and on its elements what is told of it last. */
export function tellSources(came: readonly Came[]): void {
  const sources = new Map(came.map(one => [one.url, one.source]))
  for (const detail of came) performance.measure('mayfly', { start: performance.now(), detail })
  for (const element of document.querySelectorAll<HTMLImageElement>('img,[src],link')) {
    const source = sources.get(element.currentSrc || element.src || (element as { href?: string }).href || '')
    if (source) element.dataset['mayflySource'] = source
  }
}
