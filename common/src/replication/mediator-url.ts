/** A scheme, a host and what may follow it; no credentials, no fragment, nothing outside of printable ASCII. */
const FORM = /^(wss?):\/\/([^\s/?#@\\]+)([/?][^\s#\\]*)?$/
const PRINTABLE = /^[\x21-\x7e]*$/

/**
 * True for what may be told as a mediator's URL: `ws:` or `wss:`, a host, no credentials and no fragment, at most
 * `maxBytes` of printable ASCII. Whoever dials it parses it again; this only bounds what is kept and passed on.
 */
export function isMediatorUrl(value: unknown, maxBytes: number): value is string {
  return typeof value === 'string' && value.length <= maxBytes && PRINTABLE.test(value) && FORM.test(value)
}
