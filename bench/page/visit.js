// What a bench lets a page do, whoever the contender is. What is hashed here is hashed outside of what is measured.
globalThis.visit = {
  isOpen: false,
  /** Gives the bytes that were fetched last. */
  arrived: undefined,

  /** `key`, a number that is not 0, decides about the bytes: several pages can seed the same. */
  async seed(servers, length, key) {
    this.open(servers)
    const bytes = this.bytesOf(length, key)
    return { name: await contender.seed(bytes), digest: await this.digest(bytes) }
  },

  async fetch(servers, name, length) {
    const askedAt = performance.now()
    this.open(servers)
    this.arrived = await contender.fetch(name, length)
    const arrivedAt = performance.now()
    return { askedAt, arrivedAt, ...marks }
  },

  async check() {
    return this.digest(await this.arrived())
  },

  open(servers) {
    if (!this.isOpen) contender.open(servers)
    this.isOpen = true
  },

  /** Xorshift: no two contents of a bench share a block. */
  bytesOf(length, key) {
    const words = new Uint32Array(Math.ceil(length / 4))
    let state = key >>> 0
    for (let i = 0; i < words.length; i++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      words[i] = state
    }
    return new Uint8Array(words.buffer, 0, length)
  },

  async digest(bytes) {
    return String(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
  }
}
