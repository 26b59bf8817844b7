import type { FullHash } from '@mayfly/common'
import type { ContentHeader, Store, StoredContent } from './ports/store.js'

/** A store that may turn out not to work here: private windows, blocked storage. */
export interface UncertainStore extends Store {
  /** Rejects when it cannot be used. */
  ready(): Promise<void>
}

/** The first store where it works, else the second: a page that cannot keep things still fetches them. */
export class FallbackStore implements Store {
  readonly #chosen: Promise<Store>

  constructor(first: UncertainStore, second: Store) {
    this.#chosen = first.ready().then(
      () => first,
      () => second
    )
  }

  async open(fullHash: FullHash): Promise<StoredContent | undefined> {
    return (await this.#chosen).open(fullHash)
  }

  async create(header: ContentHeader): Promise<StoredContent> {
    return (await this.#chosen).create(header)
  }

  async list(): Promise<FullHash[]> {
    return (await this.#chosen).list()
  }

  async delete(fullHash: FullHash): Promise<void> {
    return (await this.#chosen).delete(fullHash)
  }

  async close(): Promise<void> {
    return (await this.#chosen).close()
  }
}
