import { BLOCK_BYTES, blockCountOf, type FullHash } from '@mayfly/common'
import type {
  Download,
  DownloadEvents,
  DownloadPriority,
  DownloadProgress,
  GetOptions,
  StreamOptions,
  TypedEventTarget,
  VerifiedRun
} from './api.js'
import type { Content } from './content.js'
import { READ_BLOCKS, contentStream, type StreamPlace } from './content-stream.js'
import type { ReaderPlace } from './core/wanted.js'
import { MayflyError } from './error.js'
import type { Transfer } from './transfer.js'
import type { TransferListener } from './transfer-host.js'

/** Milliseconds between two `progress` events. */
const PROGRESS_EVERY_MS = 100

/** What a download of someone who asked for a content stands on. */
export interface DownloadSource {
  readonly fullHash: FullHash
  /** The content, when it is there as a whole already. */
  readonly content?: Content
  /** Otherwise how it is being fetched. */
  readonly transfer?: Transfer
}

/** One call of `get`: what its caller sees of a transfer that others may share. */
export class ContentDownload
  extends (EventTarget as new () => TypedEventTarget<DownloadEvents> & EventTarget)
  implements Download, TransferListener
{
  readonly fullHash: FullHash
  readonly done: Promise<void>
  #resolve: () => void = () => {}
  #reject: (error: unknown) => void = () => {}
  #content: Content | undefined
  #transfer: Transfer | undefined
  #ended: { error?: unknown } | undefined
  #last: DownloadProgress = SEARCHING
  #toldAt = -Infinity
  /** Somebody has asked to be told of what is verified. */
  #isHeard = false
  readonly #waiting: (() => void)[] = []
  readonly #unlisten: () => void
  readonly #onDemand: boolean
  #priority: DownloadPriority
  #paused = false
  readonly #places = new Set<StreamPlace>()
  #soughtBlock: number | undefined
  #asksForLength = false

  constructor(fullHash: FullHash, { signal, priority = 'normal', onDemand = false }: GetOptions = {}) {
    super()
    this.fullHash = fullHash
    this.#priority = priority
    this.#onDemand = onDemand
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever looks at `bytes` only has not asked to be told twice.
    this.done.catch(() => {})
    const abort = (): void => this.cancel(signal?.reason)
    this.#unlisten = () => signal?.removeEventListener('abort', abort)
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  }

  override addEventListener<Type extends keyof DownloadEvents & string>(
    type: Type,
    listener: (event: DownloadEvents[Type]) => void,
    options?: boolean | AddEventListenerOptions
  ): void
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions
  ): void
  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    const [type, listener, options] = args
    if (type === 'verified') this.#isHeard = true
    super.addEventListener(type, listener, options)
  }

  /** Where the bytes come from; may be told some time after the call of `get`. */
  begin({ content, transfer }: Omit<DownloadSource, 'fullHash'>): void {
    if (this.#ended !== undefined) return
    if (content !== undefined) {
      this.#content = content
      const { length, blockCount } = content.tree
      this.#last = { ...SEARCHING, state: 'complete', length, verifiedBytes: length, secondsLeft: 0 }
      if (blockCount > 0) this.onverified({ firstBlock: 0, blockCount, peerId: undefined, from: 'store' })
      this.oncomplete()
    } else if (transfer !== undefined) {
      this.#transfer = transfer
      transfer.listen(this)
    }
  }

  /** The content, as soon as something of it is there. */
  get content(): Content | undefined {
    return this.#content ?? this.#transfer?.content
  }

  /** Complete, failed or cancelled. */
  get ended(): boolean {
    return this.#ended !== undefined
  }

  get progress(): DownloadProgress {
    return this.#transfer?.progress ?? this.#last
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const content = await this.#whole()
    const all = new Uint8Array(content.tree.length)
    let at = 0
    for await (const part of this.#parts(content)) {
      all.set(part, at)
      at += part.length
    }
    return all
  }

  async blob(type = ''): Promise<Blob> {
    const content = await this.#whole()
    const parts: Blob[] = []
    // As many small Blobs: a browser keeps them on disk, where one large array would stay in memory.
    for await (const part of this.#parts(content)) parts.push(new Blob([part]))
    return new Blob(parts, { type })
  }

  stream(options: StreamOptions = {}): ReadableStream<Uint8Array<ArrayBuffer>> {
    const isWhole = options.start === undefined && options.end === undefined
    return contentStream(
      {
        enter: place => {
          this.#places.add(place)
          this.#transfer?.want()
        },
        moved: () => this.#transfer?.want(),
        leave: place => {
          this.#places.delete(place)
          this.#transfer?.want()
        },
        held: block => this.#heldAt(block),
        oncancel: reason => {
          if (isWhole && this.#places.size === 0) this.cancel(reason)
        }
      },
      options
    )
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, undefined> {
    const reader = this.stream().getReader()
    try {
      for (;;) {
        const { value } = await reader.read()
        if (value === undefined) return
        yield value
      }
    } finally {
      // After the end, or an error, it does nothing.
      await reader.cancel().catch(() => {})
    }
  }

  seek(byte: number): void {
    if (!Number.isSafeInteger(byte) || byte < 0) throw new RangeError(`there is no byte ${byte}`)
    this.#soughtBlock = Math.floor(byte / BLOCK_BYTES)
    this.#transfer?.want()
  }

  pause(): void {
    this.#setPaused(true)
  }

  resume(): void {
    this.#setPaused(false)
  }

  get paused(): boolean {
    return this.#paused && !this.ended
  }

  get priority(): DownloadPriority {
    return this.#priority
  }

  set priority(priority: DownloadPriority) {
    this.#priority = priority
    this.#transfer?.want()
  }

  get wantsAll(): boolean {
    return !this.#paused && !this.#onDemand
  }

  get readers(): readonly ReaderPlace[] {
    if (this.#paused) return []
    const waiting = [...this.#places].filter(place => place.waiting)
    const others = [...this.#places].filter(place => !place.waiting)
    const sought = this.#soughtBlock === undefined ? [] : [{ block: this.#soughtBlock, end: Infinity }]
    // Who reads nothing yet still wants someone to be found.
    const asker = this.#asksForLength ? [{ block: 0, end: 0 }] : []
    return [...waiting, ...sought, ...others, ...asker]
  }

  /** Bytes of the content, as soon as a peer has proved them. Rejects when nobody does. */
  async knownLength(): Promise<number> {
    this.#asksForLength = true
    this.#transfer?.want()
    const { length } = (await this.#until(content => content)).tree
    this.#asksForLength = false
    return length
  }

  cancel(reason?: unknown): void {
    if (this.#ended !== undefined) return
    const error = reason ?? new DOMException('the download was cancelled', 'AbortError')
    this.#end({ error })
    this.#transfer?.leave(this)
  }

  onprogress(): void {
    this.#wake()
    const now = performance.now()
    if (now - this.#toldAt < PROGRESS_EVERY_MS) return
    this.#toldAt = now
    this.#tell('progress', this.progress)
  }

  onverified(run: VerifiedRun): void {
    // One for each 64 KiB: made only where somebody listens.
    if (this.#isHeard) this.#tell('verified', run)
    this.onprogress()
  }

  oncomplete(): void {
    this.#content ??= this.#transfer?.content
    this.#end({})
    this.#tell('progress', this.progress)
    this.#tell('complete', this.progress)
  }

  onfailed(error: Error): void {
    this.#end({ error })
    this.#tell('progress', this.progress)
    this.#tell('failed', error)
  }

  #end(ended: { error?: unknown }): void {
    this.#ended = ended
    this.#unlisten()
    if ('error' in ended) this.#reject(ended.error)
    else this.#resolve()
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #tell<Type extends keyof DownloadEvents>(type: Type, detail: DownloadEvents[Type]['detail']): void {
    this.dispatchEvent(new CustomEvent(type, { detail }))
  }

  async #whole(): Promise<Content> {
    await this.done
    if (this.#content === undefined) throw new MayflyError('store_failed', 'the content is gone')
    return this.#content
  }

  async *#parts(content: Content): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const blockCount = blockCountOf(content.tree.length)
    for (let block = 0; block < blockCount; block += READ_BLOCKS) {
      yield await content.read(block, Math.min(READ_BLOCKS, blockCount - block))
    }
  }

  #setPaused(paused: boolean): void {
    if (paused === this.#paused || this.ended) return
    this.#paused = paused
    this.#transfer?.want()
    this.#tell('progress', this.progress)
  }

  /** The content, once `block` is held, or there is no such block. */
  #heldAt(block: number): Promise<Content> {
    const content = this.#content ?? this.#transfer?.content
    // Who waits goes before who only reads on.
    if (content?.held.has(block) !== true) this.#transfer?.want()
    return this.#until(found => {
      return found !== undefined && (block >= found.tree.blockCount || found.held.has(block))
        ? found
        : undefined
    })
  }

  /** Waits until `find` finds what it looks for in what is there of the content. */
  async #until(find: (content: Content | undefined) => Content | undefined): Promise<Content> {
    for (;;) {
      if (this.#ended !== undefined && 'error' in this.#ended) throw this.#ended.error
      const found = find(this.#content ?? this.#transfer?.content)
      if (found !== undefined) return found
      if (this.#ended !== undefined) throw new MayflyError('store_failed', 'the content is gone')
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
  }
}

const SEARCHING: DownloadProgress = {
  state: 'searching',
  length: undefined,
  verifiedBytes: 0,
  bytesPerSecond: 0,
  secondsLeft: undefined,
  peers: [],
  wastedBytes: 0
}
