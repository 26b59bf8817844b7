import { reasonOf } from '../error.js'

/** Something is wrong with one file; `cause` says what. An error of Node.js names another path, or none. */
export class FileTrouble extends Error {
  readonly path: string

  constructor(path: string, cause: unknown) {
    super(`${path}: ${reasonOf(cause)}`, { cause })
    this.path = path
  }
}

/** For `catch`: the same trouble, with the file that it is about. */
export function troubleWith(path: string): (error: unknown) => never {
  return error => {
    throw error instanceof FileTrouble ? error : new FileTrouble(path, error)
  }
}
