// A page that seeds the images of another, in one of the ways in which peers are good or bad.
{
  /** What a slow one sends in a second. */
  const SLOW_BYTES_PER_SECOND = 20_000
  /** What one that leaves has sent by then. */
  const SENT_BEFORE_LEAVING = 200_000
  /** Messages that are longer hold blocks. */
  const BLOCK_MESSAGE_BYTES = 4_096

  let session
  let contents
  let settings

  globalThis.gallerySeeder = {
    /** Fetches the images, seeds them, and gives their full hashes. */
    async seed({ urls, mediator, manner }) {
      settings = { mediator, manner }
      if (manner === 'lying') lie()
      contents = await Promise.all(urls.map(async url => (await fetch(url)).blob()))
      return this.comeBack()
    },

    /** Seeds all of it again where it has left. */
    async comeBack() {
      if (session !== undefined) return undefined
      const { mediator, manner } = settings
      const upload = manner === 'slow' ? { bytesPerSecond: SLOW_BYTES_PER_SECOND } : {}
      session = mayfly.connect(mediator, { upload })
      if (manner === 'leaving') leaveLater(session)
      const hashes = await Promise.all(contents.map(content => session.seed(content)))
      await session.established
      return hashes
    },

    /** Ends, and is not there any more. */
    async leave() {
      const left = session
      session = undefined
      await left?.close()
    }
  }

  /** In the midst of what it is asked for, without a word. */
  function leaveLater(open) {
    const sent = new Map()
    open.addEventListener('upload', ({ detail }) => {
      sent.set(detail.fullHash + detail.peerId, detail.sentBytes)
      const sum = [...sent.values()].reduce((all, bytes) => all + bytes, 0)
      if (sum >= SENT_BEFORE_LEAVING && session === open) void gallerySeeder.leave()
    })
  }

  /** One bit of every message with blocks is wrong, whatever the library does to send it. */
  function lie() {
    const send = RTCDataChannel.prototype.send
    RTCDataChannel.prototype.send = function (message) {
      if (!(message.byteLength > BLOCK_MESSAGE_BYTES)) return send.call(this, message)
      const copy = new Uint8Array(
        message.buffer ?? message,
        message.byteOffset ?? 0,
        message.byteLength
      ).slice()
      copy[copy.length - 1] ^= 1
      return send.call(this, copy)
    }
  }
}
