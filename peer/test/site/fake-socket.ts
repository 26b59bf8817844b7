/** A WebSocket that does what a test says. */
export class FakeSocket {
  static readonly all: FakeSocket[] = []
  static refuses = (_url: string): boolean => false
  readyState = 0
  isClosed = false
  readonly sent: Record<string, unknown>[] = []
  readonly url: string
  onopen?: () => void
  onmessage?: (event: object) => void
  onclose?: () => void

  constructor(url: string) {
    this.url = url
    if (FakeSocket.refuses(url)) throw new DOMException('not here', 'SecurityError')
    FakeSocket.all.push(this)
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>)
  }
  close(): void {
    this.isClosed = true
    this.readyState = 2
  }
  open(): this {
    this.readyState = 1
    this.onopen?.()
    return this
  }
  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) })
  }
  establish(): this {
    this.open().say({ type: 'established' })
    return this
  }
  end(): void {
    this.readyState = 3
    this.onclose?.()
  }
}
