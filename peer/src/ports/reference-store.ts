import type { FullHash } from '@mayfly/common'

/** A file that a page may be allowed to read again: as much of `FileSystemFileHandle` as is needed. */
export interface FileHandle {
  getFile(): Promise<File>
  /** Not in every browser: then it is asked for by reading. */
  queryPermission?(descriptor: { readonly mode: 'read' }): Promise<PermissionState>
  requestPermission?(descriptor: { readonly mode: 'read' }): Promise<PermissionState>
}

/** A file that was seeded by reference: not its bytes, but what proves them. */
export interface KeptReference {
  readonly fullHash: FullHash
  readonly name: string
  readonly length: number
  /** As the file had it when it was hashed. */
  readonly lastModified: number
  /** The hashes of all blocks, 32 bytes each. */
  readonly leaves: Uint8Array<ArrayBuffer>
  readonly handle?: FileHandle
  /** When it was last seeded, in milliseconds of the epoch. */
  readonly usedAt: number
}

/** Where references are kept across visits. Methods reject when the medium fails. */
export interface ReferenceStore {
  /** Replaces what was kept under the same full hash. */
  put(reference: KeptReference): Promise<void>
  /** Most recently used first. */
  all(): Promise<KeptReference[]>
  delete(fullHash: FullHash): Promise<void>
  close(): Promise<void>
}
