import type { BlockRun, BlockTree, PeerAddress, RequesterMessage } from '@mayfly/common'
import type { MayflyErrorCode } from '../api.js'

/** What the shell of a download has to do, in this order. */
export type DownloadEffect =
  /** Open a channel to this peer; answer with `connected` or `gone`. */
  | { readonly type: 'connect'; readonly peer: PeerAddress }
  | { readonly type: 'send'; readonly peer: PeerAddress; readonly message: RequesterMessage }
  /** Root and length are proved: make room. Comes once, before the first `write`. */
  | { readonly type: 'prepare'; readonly tree: BlockTree }
  /** Hash the blocks; answer with `hashed`. */
  | { readonly type: 'hash'; readonly blocks: ArrivedBlocks }
  /** The blocks are verified; answer with `written` once they are. */
  | { readonly type: 'write'; readonly blocks: ArrivedBlocks }
  /** The peer lied or fell silent: close the channel. `lied`: and never have to do with it again. */
  | { readonly type: 'drop'; readonly peer: PeerAddress; readonly reason: string; readonly lied: boolean }
  /** Ask the mediator for peers; answer with `found`. */
  | { readonly type: 'ask' }
  | OriginEffect
  | { readonly type: 'complete' }
  | { readonly type: 'failed'; readonly code: MayflyErrorCode; readonly reason: string }

/** What the reader of the origin has to do. */
export type OriginEffect =
  /** Ask the origin for these blocks, or for everything; answer with `origin.began`, `arrived` and `ended`. */
  | { readonly type: 'fetch'; readonly range: BlockRun | undefined }
  /** The answer of the origin is of no use any more; `ended` is not expected. */
  | { readonly type: 'abort_fetch' }
  /** Get the tree hashes that lie beside the content; answer with `sidecar`. */
  | { readonly type: 'fetch_sidecar' }

/** Neighbouring blocks as they came, in one piece. */
export interface ArrivedBlocks {
  /** Undefined: the origin. */
  readonly peer: PeerAddress | undefined
  readonly first: number
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly proof: Uint8Array<ArrayBuffer>
  readonly level: number
  /** Of these blocks, those that were not there yet. */
  readonly fresh: readonly number[]
}
