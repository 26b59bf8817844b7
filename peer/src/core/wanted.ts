/** Blocks ahead of a reader that are wanted before all others: 4 MiB, ten seconds of a film at 3 Mbit/s. */
export const LOOK_AHEAD_BLOCKS = 256

/** Readers that are heeded at a time. */
export const MAX_READERS = 64

/** Somebody reads at `block` and goes on to `end`, the block after the last one; Infinity for the last of all. */
export interface ReaderPlace {
  readonly block: number
  readonly end: number
}

/** What is wanted of a content now. No readers and not the rest: nothing, the download rests. */
export interface Wanted {
  /** The next blocks of each come first, nearest first. At most `MAX_READERS` are heeded. */
  readonly readers: readonly ReaderPlace[]
  /** Whether all the other blocks are wanted too, afterwards. */
  readonly rest: boolean
}

/** As long as nobody says otherwise. */
export const ALL_WANTED: Wanted = { readers: [], rest: true }
