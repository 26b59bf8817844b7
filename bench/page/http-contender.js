// The same bytes from a web server that has nothing else to do, by `fetch`: no peers, no verification.
{
  let origin

  globalThis.contender = {
    open(servers) {
      // The page itself comes from another port, so that the first request sets a connection up.
      origin = servers.origin
    },

    /** Gives the name under which others can fetch the bytes. */
    async seed(bytes) {
      const response = await fetch(origin, { method: 'PUT', body: bytes })
      return response.text()
    },

    /** Settles when all bytes are in memory, with a function that gives them. */
    async fetch(name) {
      // There is neither a WebSocket nor a channel: both clocks start with the first request.
      globalThis.marks.socketOpen ??= performance.now()
      globalThis.marks.firstSend ??= performance.now()
      const response = await fetch(`${origin}/${name}`, { cache: 'no-store' })
      if (!response.ok) throw new Error(`the origin answered ${response.status}`)
      const bytes = new Uint8Array(await response.arrayBuffer())
      return async () => bytes
    }
  }
}
