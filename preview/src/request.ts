import {
  type DecodedLink,
  type SharedFile,
  MAX_FILES,
  MAX_MEDIATORS,
  decodeFragment,
  decodeFullHash
} from './share-link.js'
import { cleanName } from './file-name.js'

/** Characters of a pasted list that are looked at. */
const MAX_TEXT = 2_000_000

/**
 * Reads what a visitor pasted: a link, a full hash, or a list of either, one per line. A line as `mayfly hash` prints
 * it (`<full hash>  <file>`) names the file too. Never throws; lines that are neither are counted.
 */
export function readRequest(text: string): DecodedLink {
  const mediators = new Set<string>()
  const files = new Map<string, SharedFile>()
  let unreadable = 0
  for (const line of text.slice(0, MAX_TEXT).split(/\r?\n|\r/)) {
    if (line.trim() === '') continue
    const entry = readLine(line.trim())
    unreadable += entry.unreadable
    for (const url of entry.mediators) if (mediators.size < MAX_MEDIATORS) mediators.add(url)
    for (const file of entry.files) {
      if (files.size < MAX_FILES || files.has(file.fullHash)) {
        files.set(file.fullHash, files.get(file.fullHash) ?? file)
      } else unreadable++
    }
  }
  return { mediators: [...mediators], files: [...files.values()], unreadable }
}

function readLine(line: string): DecodedLink {
  const mark = line.indexOf('#')
  const [word = '', ...rest] = line.split(/\s+/)
  const fullHash = decodeFullHash(word)
  if (fullHash !== undefined) {
    const path = rest.join(' ')
    const name = cleanName(path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1))
    return { mediators: [], files: [{ fullHash, name, type: '', length: undefined }], unreadable: 0 }
  }
  if (mark === -1) return { mediators: [], files: [], unreadable: 1 }
  const link = decodeFragment(line.slice(mark + 1))
  return link.files.length === 0 ? { ...link, unreadable: Math.max(1, link.unreadable) } : link
}
