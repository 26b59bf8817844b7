/** The bodies that a web server sends, in bytes, by the address of the visitor and by path: counted where they are sent. */
export class SentBytes {
  #byVisitor = new Map()

  /** From now on all that is sent as this answer counts. */
  watch(request, response) {
    const { pathname } = new URL(request.url, 'http://site')
    const { remoteAddress } = request.socket
    const count = chunk => {
      if (typeof chunk === 'string' || ArrayBuffer.isView(chunk)) this.#add(remoteAddress, pathname, chunk)
    }
    const { write, end } = response
    response.write = function (chunk, ...more) {
      count(chunk)
      return write.call(this, chunk, ...more)
    }
    response.end = function (chunk, ...more) {
      count(chunk)
      return end.call(this, chunk, ...more)
    }
  }

  /** What was sent to that address since this was last asked, by path. */
  take(address) {
    const sent = this.#byVisitor.get(address) ?? new Map()
    this.#byVisitor.delete(address)
    return Object.fromEntries(sent)
  }

  #add(address, path, chunk) {
    if (!this.#byVisitor.has(address)) this.#byVisitor.set(address, new Map())
    const sent = this.#byVisitor.get(address)
    sent.set(path, (sent.get(path) ?? 0) + Buffer.byteLength(chunk))
  }
}

/** What may travel by its ending, as manifests name it: all but pages, styles, scripts and data. */
const NAMED = /\.(?:png|jpe?g|webp|avif|gif|svg|ico|woff2?|mp4|zip)$/

/** The bytes of what a manifest names, among those that were sent by path. */
export function namedBytes(sent) {
  return Object.entries(sent).reduce((sum, [path, bytes]) => sum + (NAMED.test(path) ? bytes : 0), 0)
}
