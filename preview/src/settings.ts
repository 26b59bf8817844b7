import { chooseMediators, decodeMediator } from './mediator-address.js'
import { MAX_MEDIATORS, decodeFragment } from './share-link.js'

const REMEMBERED = 'mayfly.mediators'
/** Characters of an answer of the server that are looked at. */
const MAX_ANSWER = 16_384

/** The mediators that this page begins with, and whether a link or the visitor chose them. */
export interface Beginning {
  readonly mediators: readonly string[]
  /** What the page uses without link or visitor. */
  readonly usual: readonly string[]
}

/** Finds the mediators: after `#`, else remembered, else from `mediators.json` beside the page, else a guess. */
export async function findMediators(): Promise<Beginning> {
  const sources = {
    link: decodeFragment(location.hash).mediators,
    remembered: recall(),
    served: await askServer(),
    page: location
  }
  return {
    mediators: chooseMediators(sources),
    usual: chooseMediators({ ...sources, link: [], remembered: [] })
  }
}

/** Keeps what the visitor filled in, for the next visit; an empty list forgets it. */
export function remember(mediators: readonly string[]): void {
  try {
    if (mediators.length === 0) localStorage.removeItem(REMEMBERED)
    else localStorage.setItem(REMEMBERED, JSON.stringify(mediators))
  } catch {
    // Storage is switched off or full: the address is asked for again.
  }
}

function recall(): readonly string[] {
  try {
    return decodeList(localStorage.getItem(REMEMBERED) ?? '')
  } catch {
    return []
  }
}

async function askServer(): Promise<readonly string[]> {
  if (!location.protocol.startsWith('http')) return []
  try {
    const answer = await fetch('mediators.json', { signal: AbortSignal.timeout(3000) })
    return answer.ok ? decodeList((await answer.text()).slice(0, MAX_ANSWER)) : []
  } catch {
    return []
  }
}

/** A JSON array of addresses; what is none is left out. */
function decodeList(text: string): readonly string[] {
  if (text === '') return []
  const value: unknown = JSON.parse(text)
  if (!Array.isArray(value)) return []
  return value
    .slice(0, MAX_MEDIATORS)
    .map(entry => (typeof entry === 'string' ? decodeMediator(entry) : undefined))
    .filter(url => url !== undefined)
}
