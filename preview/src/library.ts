import type * as Mayfly from '@mayfly/peer/page'

export type {
  ConnectOptions,
  ContentServer,
  Download,
  MediatorConnection,
  PeerShare,
  Session,
  UploadProgress
} from '@mayfly/peer/page'

/** What a download says of itself. The library tells of the site where that is one of the sources. */
export type DownloadProgress = Mayfly.DownloadProgress & {
  readonly origin?: {
    readonly bytes: number
    readonly state: 'waiting' | 'asked' | 'active' | 'failed'
    readonly reason?: string
  }
}

export type VerifiedRun = Mayfly.VerifiedRun & { readonly from?: 'peer' | 'origin' | 'store' }

/** What these pages use of the public bundle. */
type Library = Pick<typeof Mayfly, 'connect'>

/** Bytes of a block, the unit of verification. */
export const BLOCK_BYTES = 16_384

/** The global that `mayfly.js` defines, or undefined where the script is not there: the checkout was not compiled. */
export function library(): Library | undefined {
  return (globalThis as { mayfly?: Library }).mayfly
}
