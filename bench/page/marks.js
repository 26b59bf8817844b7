// Notes two moments in a page, in the same way for every contender: they are not visible from outside the library.
{
  const marks = { socketOpen: undefined, firstSend: undefined }
  globalThis.marks = marks

  const PlainWebSocket = globalThis.WebSocket
  globalThis.WebSocket = class extends PlainWebSocket {
    constructor(...args) {
      super(...args)
      // First of all listeners, so that what the others do upon it counts.
      this.addEventListener('open', () => (marks.socketOpen ??= performance.now()))
    }
  }

  const send = RTCDataChannel.prototype.send
  RTCDataChannel.prototype.send = function (message) {
    // Whoever sends much is not to pay for being watched.
    RTCDataChannel.prototype.send = send
    marks.firstSend = performance.now()
    return send.call(this, message)
  }
}
