import { lstat, readFile } from 'node:fs/promises'
import type { FolderFile } from './folder-files.js'

/** A document of more is no page for people. */
const MAX_DOCUMENT_BYTES = 16_777_216

/** A document that was read. */
export interface ReadDocument {
  readonly text: string
  /** What gives the very same bytes again. `latin1`: the encoding is not known, and only what is in ASCII is meant as it reads. */
  readonly encoding: 'utf8' | 'latin1'
}

/** Whether a path is that of a document of HTML. */
export function isDocument(path: string): boolean {
  return /\.html?$/i.test(path)
}

/** The text of a document. A text instead of it says why it is not looked at. Rejects where it cannot be read. */
export async function readDocument({ place }: FolderFile): Promise<ReadDocument | string> {
  const { size } = await lstat(place)
  if (size > MAX_DOCUMENT_BYTES) return `it has more than ${MAX_DOCUMENT_BYTES} bytes`
  const bytes = await readFile(place)
  const isWide = bytes.length > 1 && [0xfeff, 0xfffe].includes(bytes.readUInt16BE(0))
  return isWide ? 'it is in UTF-16' : decoded(bytes)
}

/**
 * Text whose encoding gives the very same bytes: of UTF-8 where they are, otherwise a character for each byte, as which
 * tags are the same in all encodings of the web, and addresses in ASCII.
 */
function decoded(bytes: Buffer): ReadDocument {
  try {
    return {
      text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
      encoding: 'utf8'
    }
  } catch {
    return { text: bytes.toString('latin1'), encoding: 'latin1' }
  }
}
