import type { Readable, Writable } from 'node:stream'

/** What a browser answers to a command, or tells with an event. */
export type DevToolsFields = Readonly<Record<string, unknown>>

/** Something that happened in a browser. */
export interface DevToolsEvent {
  readonly method: string
  readonly params: DevToolsFields
  /** Of the page or worker that it happened in. */
  readonly sessionId: string | undefined
}

/** Answers have all that a page has measured. */
const MAX_MESSAGE_LENGTH = 67_108_864

/** Between two messages. */
const END = '\0'

interface Waiting {
  readonly resolve: (result: DevToolsFields) => void
  readonly reject: (error: Error) => void
}

/** The DevTools protocol of Chromium over two pipes. It ends by itself when these are closed, however we end. */
export class DevToolsPipe {
  /** Called with each event; must not throw. */
  onevent: (event: DevToolsEvent) => void = () => {}
  readonly #to: Writable
  readonly #waiting = new Map<number, Waiting>()
  #pieces: string[] = []
  #length = 0
  #isClosed = false
  #id = 0

  constructor(to: Writable, from: Readable) {
    this.#to = to
    from.setEncoding('utf8')
    from.on('data', (piece: string) => this.#gather(piece))
    for (const pipe of [to, from]) {
      pipe.on('close', () => this.close())
      pipe.on('error', () => this.close())
    }
  }

  /** One command; `sessionId`: in that page or worker. Rejects with what the browser says against it, or after `ms`. */
  send(
    method: string,
    params: DevToolsFields = {},
    { sessionId, ms = 10_000 }: { readonly sessionId?: string | undefined; readonly ms?: number } = {}
  ): Promise<DevToolsFields> {
    const id = ++this.#id
    return new Promise<DevToolsFields>((resolve, reject) => {
      const late = setTimeout(() => this.#settle(id, new Error(`${method}: no answer in time`)), ms)
      this.#waiting.set(id, {
        resolve: result => {
          clearTimeout(late)
          resolve(result)
        },
        reject: error => {
          clearTimeout(late)
          reject(error)
        }
      })
      if (this.#isClosed) this.#settle(id, new Error('the browser has ended'))
      else this.#to.write(JSON.stringify({ id, method, params, sessionId }) + END)
    })
  }

  /** Whatever waits for an answer rejects. */
  close(): void {
    this.#isClosed = true
    this.#to.destroy()
    for (const id of this.#waiting.keys()) this.#settle(id, new Error('the browser has ended'))
  }

  #gather(piece: string): void {
    const [first = '', ...others] = piece.split(END)
    this.#pieces.push(first)
    this.#length += first.length
    if (this.#length > MAX_MESSAGE_LENGTH) this.close()
    for (const other of others) {
      const text = this.#pieces.join('')
      this.#pieces = [other]
      this.#length = other.length
      this.#take(text)
    }
  }

  #take(text: string): void {
    const { id, method, params, sessionId, result, error } = JSON.parse(text) as {
      readonly id?: number
      readonly method?: string
      readonly params?: DevToolsFields
      readonly sessionId?: string
      readonly result?: DevToolsFields
      readonly error?: { readonly message: string }
    }
    if (id !== undefined) this.#settle(id, error === undefined ? (result ?? {}) : new Error(error.message))
    else if (method !== undefined) this.onevent({ method, params: params ?? {}, sessionId })
  }

  #settle(id: number, outcome: DevToolsFields | Error): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (outcome instanceof Error) waiting?.reject(outcome)
    else waiting?.resolve(outcome)
  }
}
