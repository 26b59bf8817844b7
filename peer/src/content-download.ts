import { blockCountOf, type FullHash } from '@mayfly/common'
import type { Download, DownloadEvents, DownloadProgress, TypedEventTarget, VerifiedRun } from './api.js'
import type { Content } from './content.js'
import { MayflyError } from './error.js'
import type { Transfer, TransferListener } from './transfer.js'

/** Blocks read at once: 1 MiB. */
const READ_BLOCKS = 64

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

  constructor(fullHash: FullHash, signal?: AbortSignal) {
    super()
    this.fullHash = fullHash
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
      if (blockCount > 0) this.onverified({ firstBlock: 0, blockCount, peerId: undefined })
      this.oncomplete()
    } else if (transfer !== undefined) {
      this.#transfer = transfer
      transfer.listen(this)
    }
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

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    let block = 0
    return new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull: async controller => {
          const content = await this.#heldAt(block)
          const count = content === undefined ? 0 : heldFrom(content, block)
          if (content === undefined || count === 0) {
            controller.close()
            return
          }
          controller.enqueue(await content.read(block, count))
          block += count
          this.#transfer?.seek(block)
        },
        cancel: reason => this.cancel(reason)
      },
      { highWaterMark: 0 }
    )
  }

  cancel(reason?: unknown): void {
    if (this.#ended !== undefined) return
    const error = reason ?? new DOMException('the download was cancelled', 'AbortError')
    this.#end({ error })
    this.#transfer?.leave(this)
  }

  onprogress(): void {
    const now = performance.now()
    if (now - this.#toldAt < PROGRESS_EVERY_MS) return
    this.#toldAt = now
    this.#tell('progress', this.progress)
  }

  onverified(run: VerifiedRun): void {
    this.#wake()
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

  /** Waits until `block` is held, or there is no such block: then undefined. */
  async #heldAt(block: number): Promise<Content | undefined> {
    for (;;) {
      if (this.#ended !== undefined && 'error' in this.#ended) throw this.#ended.error
      const content = this.#content ?? this.#transfer?.content
      if (content !== undefined && block >= content.tree.blockCount) return undefined
      if (content?.held.has(block)) return content
      this.#transfer?.seek(block)
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
  peers: []
}

/** How many blocks are held from `block` on, up to what is read at once. */
function heldFrom(content: Content, block: number): number {
  let count = 0
  while (count < READ_BLOCKS && content.held.has(block + count)) count++
  return count
}
