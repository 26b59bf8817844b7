import type * as Mayfly from '@mayfly/peer/page'

export type {
  ConnectOptions,
  ContentServer,
  Download,
  DownloadProgress,
  MediatorConnection,
  OriginOptions,
  PeerShare,
  Session,
  UploadProgress,
  VerifiedRun
} from '@mayfly/peer/page'

/** What these pages use of the public bundle. */
type Library = Pick<typeof Mayfly, 'connect'>

/** Bytes of a block, the unit of verification. */
export const BLOCK_BYTES = 16_384

/** The global that `mayfly-library.js` defines, or undefined where the script is not there: the checkout was not compiled. */
export function library(): Library | undefined {
  return (globalThis as { mayfly?: Library }).mayfly
}
