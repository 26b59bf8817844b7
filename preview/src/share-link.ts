import { cleanName } from './file-name.js'
import { decodeMediator } from './mediator-address.js'

/** A file as a link describes it. Only `fullHash` is binding: the rest is what the sender says about it. */
export interface SharedFile {
  readonly fullHash: string
  /** Safe to save under; empty where the link has none. */
  readonly name: string
  /** MIME type without parameters, lowercase; empty where the link has none. */
  readonly type: string
  /** Bytes. */
  readonly length: number | undefined
  /** Where the site that has the page has the file too, from its root on; undefined where it has not. */
  readonly path?: string
}

/** What a share link carries after its `#`. */
export interface ShareLink {
  readonly mediators: readonly string[]
  readonly files: readonly SharedFile[]
}

/** What was read from a link, with the number of its files that could not be read. */
export interface DecodedLink extends ShareLink {
  readonly unreadable: number
}

/** Files in one link: with long names about 200 kB, well below the 2 MB that browsers allow in an address. */
export const MAX_FILES = 512
/** Mediators in one link or setting: as many as a page would ever try in turn. */
export const MAX_MEDIATORS = 8
/** Characters of a fragment that are looked at. */
export const MAX_FRAGMENT = 1_000_000

const FULL_HASH = /^[0-9a-f]{64}$/i
const MIME_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,62}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}$/
/** On the page's own site only: a stranger's link must not make the browser ask others. */
const PATH = /^\/(?![/\\])[^\\\s]{1,1000}$/
const LENGTH = /^[0-9]{1,16}$/

/** What separates the parts, also as HTML writes it: whoever copied the source of a page has that. */
const SEPARATOR = /&(?:amp;|#38;|#x26;)*/i
/** What a sentence or a chat program puts behind an address. In our own links it is percent-encoded, or the end of nothing. */
const PUNCTUATION = /[.,;:!?'"*>’”»…]$/
/** Characters behind an address that are looked at. */
const MAX_GLUED = 8
const BRACKETS: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' }

/** The full hash in its one form, or undefined where `text` is none. */
export function decodeFullHash(text: string): string | undefined {
  return FULL_HASH.test(text) ? text.toLowerCase() : undefined
}

/** The part of a link after `#`: `m=<mediator>&f=<hash>,<length>,<type>,<name>,<path>`, each as often as needed. */
export function encodeFragment({ mediators, files }: ShareLink): string {
  const addresses = mediators.map(url => `m=${escape(url)}`)
  const entries = files.map(file =>
    [
      'f=' + file.fullHash,
      file.length ?? '',
      escape(file.type),
      escape(file.name),
      ...(file.path === undefined ? [] : [escape(file.path)])
    ].join(',')
  )
  return [...addresses, ...entries].join('&')
}

/** Reads what anyone may have put after `#`. Never throws; takes what it understands and counts what it does not. */
export function decodeFragment(fragment: string): DecodedLink {
  const mediators = new Set<string>()
  const files: SharedFile[] = []
  let unreadable = fragment.length > MAX_FRAGMENT ? 1 : 0
  for (const part of partsOf(fragment)) {
    // A full hash alone is what people guess.
    const alone = decodeFullHash(part)
    if (alone !== undefined) {
      files.push({ fullHash: alone, name: '', type: '', length: undefined })
    } else if (part.startsWith('m=')) {
      const url = decodeMediator(unescape(part.slice(2)))
      if (url !== undefined && mediators.size < MAX_MEDIATORS) mediators.add(url)
    } else if (part.startsWith('f=')) {
      const file = decodeFile(part.slice(2))
      if (file === undefined) unreadable++
      else files.push(file)
    }
  }
  const listed = listOf(files)
  return { mediators: [...mediators], ...listed, unreadable: unreadable + listed.unreadable }
}

/** Whether a fragment says anything but which mediators to use: then somebody expects to get something. */
export function asksForFiles(fragment: string): boolean {
  return partsOf(fragment).some(part => part !== '' && !part.startsWith('m='))
}

/**
 * The files of a list, as many as one page fetches, and how many are left out. Two names of one content are two files; an
 * entry without a name says nothing new where there is another of that content.
 */
export function listOf(files: readonly SharedFile[]): {
  readonly files: readonly SharedFile[]
  readonly unreadable: number
} {
  const said = new Set(files.filter(({ name }) => name !== '').map(({ fullHash }) => fullHash))
  const listed = files.filter(({ fullHash, name }) => {
    const isNew = name !== '' || !said.has(fullHash)
    said.add(fullHash)
    return isNew
  })
  return { files: listed.slice(0, MAX_FILES), unreadable: Math.max(0, listed.length - MAX_FILES) }
}

/** What was copied along with an address, taken off its end: punctuation, and brackets that were opened before it. */
export function withoutPunctuation(text: string): string {
  let end = text.length
  for (; end > 0 && end > text.length - MAX_GLUED; end--) {
    const last = text[end - 1] ?? ''
    const opening = BRACKETS[last]
    const isGlued =
      opening === undefined ? PUNCTUATION.test(last) : count(text, last, end) > count(text, opening, end)
    if (!isGlued) break
  }
  return text.slice(0, end)
}

function count(text: string, mark: string, end: number): number {
  return text.slice(0, end).split(mark).length - 1
}

function partsOf(fragment: string): readonly string[] {
  return withoutPunctuation(fragment.slice(0, MAX_FRAGMENT).replace(/^#/, '')).split(SEPARATOR)
}

/** One file of a link: `<hash>,<length>,<type>,<name>,<path>`, all but the hash optional. */
function decodeFile(text: string): SharedFile | undefined {
  const [hash = '', length = '', type = '', name = '', path = ''] = text.split(',', 5).map(unescape)
  const fullHash = decodeFullHash(hash)
  if (fullHash === undefined) return undefined
  const file = { fullHash, name: cleanName(name), type: decodeType(type), length: decodeLength(length) }
  return PATH.test(path) ? { ...file, path } : file
}

function decodeType(text: string): string {
  const type = text.toLowerCase()
  return MIME_TYPE.test(type) ? type : ''
}

function decodeLength(text: string): number | undefined {
  const length = LENGTH.test(text) ? Number(text) : undefined
  return Number.isSafeInteger(length) ? length : undefined
}

/** Percent-encodes all that ends a link in a chat window or separates its parts. */
function escape(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, mark => '%' + mark.charCodeAt(0).toString(16).toUpperCase())
    .replace(/%(2F|3A)/g, code => (code === '%2F' ? '/' : ':'))
}

/** The text that was percent-encoded; empty where it is malformed. */
function unescape(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
