import { BLOCK_BYTES } from '../full-hash.js'

/** Blocks in one `data` message: 64 KiB, where a data channel is fastest without holding up what follows. */
export const MAX_DATA_BLOCKS = 4

/** Bytes of one message: 64 KiB of blocks and 4 KiB for header and proof (which needs 2 × 39 hashes at most). */
export const MAX_WIRE_MESSAGE_BYTES = MAX_DATA_BLOCKS * BLOCK_BYTES + 4_096

/** Blocks in one `open` or `request`: 1 MiB, a quarter of what our downloads have on the way from one peer. */
export const MAX_REQUEST_BLOCKS = 64

/** Runs in one `have` message. */
export const MAX_HAVE_RUNS = 256

/** Hashes in one proof: two at each level of the highest tree that a length of 2^53 - 1 allows. */
export const MAX_PROOF_HASHES = 78

/** Largest number of a stream, and of a probe. */
export const MAX_STREAM = 2 ** 31 - 1

/** Blocks whose hashes are asked for at once: 16 MiB of content, 32 KiB of hashes. */
export const MAX_PROVED_BLOCKS = 1_024
