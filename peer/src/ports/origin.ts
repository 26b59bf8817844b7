/** Bytes of a content, from `start` up to and without `end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** What a web server answers. */
export interface OriginAnswer {
  /** Of the whole content, where the server says it and nothing between changes it. */
  readonly length: number | undefined
  /** It begins where it was asked to; otherwise at the first byte. */
  readonly ranged: boolean
  /** In pieces of any size. Throws where the connection breaks. */
  readonly body: AsyncIterable<Uint8Array>
}

/** The server has spoken, and would say the same again: its status, in one phrase. */
export class OriginRefusal extends Error {}

/** A web server that has contents under URLs. */
export interface Origin {
  /**
   * Asks for a range, or for everything. Rejects with `OriginRefusal`, with another Error where it cannot be
   * reached, or with the abort reason.
   */
  fetch(url: string, range: ByteRange | undefined, signal: AbortSignal): Promise<OriginAnswer>
}
