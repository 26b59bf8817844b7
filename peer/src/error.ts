import type { MayflyErrorCode } from './api.js'

/** What this library throws on purpose. `code` is for programs, `message` one English sentence for people. */
export class MayflyError extends Error {
  readonly code: MayflyErrorCode

  constructor(code: MayflyErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'MayflyError'
    this.code = code
  }
}

/** There are too many connections now: no fault of the peer, and another time there will be room. */
export class NoRoomError extends Error {}

/** The text of anything that was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
