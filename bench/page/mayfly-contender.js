// The library, used as a page would use it.
globalThis.contender = {
  session: undefined,

  open({ mediator }) {
    this.session = mayfly.connect(mediator)
  },

  /** Gives the name under which others can fetch the bytes. */
  async seed(bytes) {
    const fullHash = await this.session.seed(bytes)
    await this.session.established
    return fullHash
  },

  /** Settles when all bytes are verified and in memory, with a function that gives them. */
  async fetch(fullHash) {
    const download = this.session.get(fullHash)
    await download.done
    return () => download.bytes()
  }
}
