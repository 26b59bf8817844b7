// A page that fetches one large content into its store and shows nothing of it.
globalThis.memoryVisit = {
  session: undefined,

  /** What a page has before it fetches: a session, and the store. */
  async open(mediator) {
    this.session = mayfly.connect(mediator, { store: 'indexeddb' })
    await this.session.established
  },

  /** Settles when all of it is verified and stored, with the milliseconds that it took. */
  async fetch(fullHash) {
    const startedAt = performance.now()
    await this.session.get(fullHash).done
    return performance.now() - startedAt
  }
}
