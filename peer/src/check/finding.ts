/** Takes what a check finds: it is as it should be, is worth knowing, or stands in the way. */
export interface Findings {
  fine(text: string): void
  note(text: string): void
  /** Gives what who cannot go on returns. */
  problem(text: string): undefined
}

/** Whether pages of one origin may read an answer of another. */
export function isShared(headers: Headers, origin: string): boolean {
  const allowed = headers.get('access-control-allow-origin')
  return allowed === '*' || allowed === origin
}
