import {
  type DecodedLink,
  type SharedFile,
  MAX_MEDIATORS,
  decodeFragment,
  decodeFullHash,
  listOf,
  withoutPunctuation
} from './share-link.js'
import { cleanName } from './file-name.js'

/** Characters of a pasted list that are looked at. */
const MAX_TEXT = 2_000_000

/** How `mayfly hash` escapes a name in a line that begins with a backslash. */
const ESCAPED = /\\(?:u([0-9a-f]{4})|(.))/g
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/**
 * Reads what a visitor pasted: a link, a full hash, or a list of either, one per line. A line as `mayfly hash` prints
 * it (`<full hash>  <file>`) names the file too. Never throws; lines that are neither are counted, the same line twice
 * is one.
 */
export function readRequest(text: string): DecodedLink {
  const mediators = new Set<string>()
  const files: SharedFile[] = []
  let unreadable = 0
  const lines = text.slice(0, MAX_TEXT).split(/\r?\n|\r/)
  for (const line of new Set(lines.map(one => one.trim()))) {
    if (line === '') continue
    const entry = readLine(line)
    unreadable += entry.unreadable
    for (const url of entry.mediators) if (mediators.size < MAX_MEDIATORS) mediators.add(url)
    files.push(...entry.files)
  }
  const listed = listOf(files)
  return { mediators: [...mediators], ...listed, unreadable: unreadable + listed.unreadable }
}

function readLine(line: string): DecodedLink {
  const [word = '', ...rest] = line.split(/\s+/)
  const fullHash = decodeFullHash(withoutPunctuation(word.replace(/^[\\(["'<]/, '')))
  if (fullHash !== undefined) {
    const path = word.startsWith('\\') ? unescaped(rest.join(' ')) : rest.join(' ')
    const name = cleanName(path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1))
    return { mediators: [], files: [{ fullHash, name, type: '', length: undefined }], unreadable: 0 }
  }
  // An address has no spaces: what is around it is a sentence.
  const fragments = line
    .split(/\s+/)
    .flatMap(one => (one.includes('#') ? [one.slice(one.indexOf('#') + 1)] : []))
  const links = fragments.map(decodeFragment)
  const files = links.flatMap(link => link.files)
  const unreadable = links.reduce((sum, link) => sum + link.unreadable, 0)
  return {
    mediators: links.flatMap(link => link.mediators),
    files,
    unreadable: files.length === 0 ? Math.max(1, unreadable) : unreadable
  }
}

function unescaped(name: string): string {
  return name.replace(ESCAPED, (_, code: string | undefined, mark: string) =>
    code === undefined ? (ESCAPES[mark] ?? mark) : String.fromCharCode(parseInt(code, 16))
  )
}
