import { Connection } from '../connection.js'
import { part, write } from '../element.js'
import { countText } from '../figure.js'
import { MediatorPanel } from '../mediator-panel.js'
import { readRequest } from '../request.js'
import { findMediators } from '../settings.js'
import { type DecodedLink, asksForFiles, encodeFragment } from '../share-link.js'
import { Fetching } from './fetching.js'

/** Marks the address of files that the visitor asked for here: a reload need not ask again. */
const ASKED = { asked: true }

// What arrived stays here, so that a reload goes on instead of beginning again.
const connection = new Connection({ store: 'indexeddb' })
const fetching = new Fetching(connection)
const wanted = part('wanted', HTMLTextAreaElement)
const problem = part('problem', HTMLElement)
const request = part('request', HTMLDetailsElement)
let panel: MediatorPanel | undefined

void begin()

// Another link in the address bar of an open page: all of it begins anew.
addEventListener('hashchange', () => location.reload())
part('form', HTMLFormElement).addEventListener('submit', event => {
  event.preventDefault()
  ask(wanted.value)
})
wanted.addEventListener('keydown', event => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault()
    ask(wanted.value)
  }
})

async function begin(): Promise<void> {
  const beginning = await findMediators()
  panel = new MediatorPanel(connection, beginning)
  part('mediator', HTMLElement).replaceChildren(panel.element)
  connection.open(beginning.mediators)
  openLink()
}

/** Fetches what the address of this page names. */
function openLink(): void {
  if (!asksForFiles(location.hash)) return
  const link = readRequest(location.href)
  wanted.value = location.href
  const state: unknown = history.state
  take(link, typeof state === 'object' && state !== null && 'asked' in state)
}

/** Fetches what the visitor asks for. */
function ask(text: string): void {
  const link = readRequest(text)
  if (link.files.length > 0) {
    const known = connection.mediators.some(url => link.mediators.includes(url))
    if (link.mediators.length > 0 && !known) panel?.use(link.mediators)
    keep(link)
  }
  take(link, true)
}

function take(link: DecodedLink, asked: boolean): void {
  const { files, unreadable } = link
  write(problem, problemOf(files.length, unreadable))
  wanted.setAttribute('aria-invalid', String(files.length === 0))
  request.open = files.length === 0
  fetching.offer(files, asked)
}

function problemOf(files: number, unreadable: number): string {
  if (files === 0) return 'This is neither a link nor a full hash of 64 digits. Copy all of it and try again.'
  return unreadable === 0
    ? ''
    : `${countText(unreadable, 'entry').replace('entrys', 'entries')} could not be read.`
}

/** Puts what is fetched into the address, so that a reload fetches it again. */
function keep({ files }: DecodedLink): void {
  try {
    history.replaceState(ASKED, '', '#' + encodeFragment({ mediators: connection.mediators, files }))
  } catch {
    // The address is too long for the browser: a reload begins with an empty page.
  }
}
