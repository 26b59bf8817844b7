// Counts what data channels bring into a page, whoever opened them.
{
  const counted = { channelBytes: 0 }
  globalThis.counted = counted
  const count = channel =>
    channel.addEventListener('message', ({ data }) => {
      counted.channelBytes += data.byteLength ?? data.size ?? data.length
    })

  const PlainConnection = globalThis.RTCPeerConnection
  globalThis.RTCPeerConnection = class extends PlainConnection {
    constructor(...args) {
      super(...args)
      this.addEventListener('datachannel', ({ channel }) => count(channel))
    }

    createDataChannel(...args) {
      const channel = super.createDataChannel(...args)
      count(channel)
      return channel
    }
  }
}
