import { bytesInWords } from './bytes-in-words.js'
import type { Findings } from './finding.js'
import type { PageView } from './headless-visitor.js'
import type { Mediation, NetworkAnswer } from './visit-log.js'

/** Lines of a page's console that are told. */
const MAX_ERRORS = 5

/** What two visitors of a page have seen. */
export interface Visits {
  readonly first: Visit
  readonly second: Visit
}

/** One of them. */
export interface Visit {
  /** In their order. */
  readonly views: readonly PageView[]
  readonly mediation: Mediation
  /** What pages complained about. */
  readonly errors: ReadonlySet<string>
}

/** What came from one kind of source. */
export interface Share {
  readonly files: number
  readonly bytes: number
}

/** Tells what the second visitor took from the first; where that is nothing, why, as far as can be seen. */
export function reportVisits({ first, second }: Visits, findings: Findings): void {
  findings.fine(
    `the first visitor: ${viewsInWords(first)}; gives ${filesInWords(first.mediation.announced.size)}`
  )
  for (const view of second.views) findings.fine(`the second visitor: ${viewInWords(view)}`)
  for (const error of [...new Set([...first.errors, ...second.errors])].slice(0, MAX_ERRORS))
    findings.note(`the console of the page: ${error}`)
  const { files, bytes } = shareOf(second, 'peer')
  if (files > 0) {
    const needed = bytes + shareOf(second, 'origin').bytes
    const part = `${Math.round((100 * bytes) / (needed || 1))} % of what it did not have of the manifest`
    return findings.fine(
      `the second visitor took ${shareInWords({ files, bytes })} from other visitors, ${part}`
    )
  }
  findings.problem(`nothing came from the first visitor: ${reasonFor({ first, second })}`)
}

/**
 * What came from a source in all views of a visit. A file of several entries counts once. Of what the browser fetched by itself the
 * page may know no length: the network does.
 */
export function shareOf({ views }: Visit, source: string): Share {
  const entries = views.flatMap((view, index) =>
    view.entries
      .filter(entry => entry.source === source)
      .map(({ url, bytes }) => ({
        key: `${index} ${url}`,
        bytes: bytes || (source === 'origin' ? sentFor(url, view) : 0)
      }))
  )
  return {
    files: new Set(entries.map(({ key }) => key)).size,
    bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0)
  }
}

function sentFor(url: string, view: PageView): number {
  const { href } = URL.canParse(url, view.url) ? new URL(url, view.url) : { href: url }
  return view.answers.reduce((sum, answer) => sum + (answer.url === href ? answer.bytes : 0), 0)
}

/** Where it ended, in the order in which it goes. */
export function reasonFor({ first, second }: Visits): string {
  const blocked = [...first.errors, ...second.errors].find(text =>
    /content security policy|trusted ?type/i.test(text)
  )
  const why = blocked === undefined ? '' : ` (a policy refuses something: ${blocked})`
  if (first.mediation.sockets === 0) return `the first opened no session${why}`
  if (first.mediation.established === 0) return `no mediator has answered the first${why}`
  if (first.mediation.announced.size === 0)
    return `the first had nothing to give: nothing that it fetched is in the manifest, or it may give nothing${why}`
  if (second.mediation.sockets === 0)
    return `the second opened no session: too little on the page to be worth it, or nothing that it asks for is in the manifest${why}`
  if (second.mediation.established === 0) return `no mediator has answered the second${why}`
  return reasonForPeers(second)
}

function reasonForPeers({ mediation, views }: Visit): string {
  const asked = filesInWords(mediation.asked.size)
  const sum = (what: 'made' | 'connected'): number => views.reduce((all, view) => all + view[what], 0)
  if (mediation.asked.size === 0) return 'the second asked for nothing that others have'
  if (mediation.named.size === 0) return `the second asked for ${asked}, and the mediator named nobody`
  if (sum('made') === 0)
    return 'the second was named somebody, and tried no connection: the site had brought everything before'
  if (sum('connected') === 0)
    return `the second was named somebody, and none of ${sum('made')} connections came about (WebRTC is blocked, or finds no way)`
  return `the two were connected, and the site had brought everything before`
}

function viewsInWords(visit: Visit): string {
  const pages = `${visit.views.length} page ${visit.views.length === 1 ? 'view' : 'views'}`
  return `${pages}, ${networkInWords(visit.views.flatMap(({ answers }) => answers))}`
}

function viewInWords(view: PageView): string {
  const one = { views: [view], mediation: NOTHING, errors: new Set<string>() }
  const shares = (['peer', 'cache', 'origin'] as const).map(
    source => `${shareInWords(shareOf(one, source))} from ${SOURCES[source]}`
  )
  return `${view.url} (loaded in ${view.loadMs} ms): ${shares.join(', ')}; ${networkInWords(view.answers)}`
}

const SOURCES = { peer: 'other visitors', cache: 'its own store', origin: 'the site' }

const NOTHING: Mediation = {
  sockets: 0,
  established: 0,
  announced: new Set(),
  asked: new Set(),
  named: new Set()
}

function networkInWords(answers: readonly NetworkAnswer[]): string {
  const bytes = answers.reduce((sum, answer) => sum + answer.bytes, 0)
  return `servers sent ${answers.length} ${answers.length === 1 ? 'answer' : 'answers'}, ${bytesInWords(bytes)}`
}

function shareInWords({ files, bytes }: Share): string {
  if (files === 0) return 'nothing'
  return bytes === 0 ? filesInWords(files) : `${filesInWords(files)} (${bytesInWords(bytes)})`
}

function filesInWords(count: number): string {
  return `${count} ${count === 1 ? 'file' : 'files'}`
}
