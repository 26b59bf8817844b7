/**
 * Makes connections that describe themselves in one step, and offer as soon as they have a channel.
 *
 * simple-peer waits for a timer, asks for a description, and hands it back to be set: in a page that is busy each of
 * these turns takes milliseconds. A description without an argument is made and set at once (JSEP, RFC 8829, 4.1.10).
 */
export function promptConnections(Connection: typeof RTCPeerConnection): typeof RTCPeerConnection {
  return class extends Connection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration)
      const set = this.setLocalDescription.bind(this)
      const open = this.createDataChannel.bind(this)
      let describing: Promise<void> | undefined
      const describe = async (): Promise<never> => {
        await (describing ??= set())
        return this.localDescription as never
      }
      this.createDataChannel = (label, options) => {
        const channel = open(label, options)
        // Whoever answers opens a channel too, which both have agreed on, but has nothing to describe yet.
        if (options?.negotiated !== true) describe().catch(() => {})
        return channel
      }
      this.createOffer = describe
      this.createAnswer = describe
      // It is set already.
      this.setLocalDescription = async () => {}
    }
  }
}
