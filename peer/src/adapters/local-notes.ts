import type { Notes } from '../ports/notes.js'

/** Notes in the `localStorage` of a page's site, which a browser may refuse to read as well as to write. */
export const localNotes: Notes = {
  read(name) {
    try {
      return localStorage.getItem(name) ?? undefined
    } catch {
      return undefined
    }
  },
  write(name, text) {
    try {
      if (text === undefined) localStorage.removeItem(name)
      else localStorage.setItem(name, text)
    } catch {
      // Full, or switched off: the next visit begins as the first.
    }
  }
}
