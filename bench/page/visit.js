// What a bench lets a page do, whoever the contender is. What is hashed here is hashed outside of what is measured.
globalThis.visit = {
  isOpen: false,
  /** Gives the bytes that were fetched last. */
  arrived: undefined,

  async seed(mediator, length) {
    this.open(mediator)
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
    return { name: await contender.seed(bytes), digest: await this.digest(bytes) }
  },

  async fetch(mediator, name, length) {
    const askedAt = performance.now()
    this.open(mediator)
    this.arrived = await contender.fetch(name, length)
    const arrivedAt = performance.now()
    return { askedAt, arrivedAt, ...marks }
  },

  async check() {
    return this.digest(await this.arrived())
  },

  open(mediator) {
    if (!this.isOpen) contender.open(mediator)
    this.isOpen = true
  },

  async digest(bytes) {
    return String(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
  }
}
