/** Nearly as much as a visitor gives by default before it takes anything (10 MB), less what one visit can take. */
export const GIVE_MOST = 6_000_000
/** Who leaves has given so many bytes of this visit, packets and all. */
export const LEAVE_AFTER_BYTES = 100_000

/**
 * What other visitors do, and what stands in for a mediator. `others`: whether there are any. `walls`: which of them cannot be
 * reached, though the mediator names them and they answer all that it brings. `extraMs`: milliseconds of empty time at the 95th
 * percentile that a visitor may have more than without us.
 */
export const MANNERS = {
  good: { others: true, extraMs: 50 },
  none: { extraMs: 50 },
  slow: { others: true, uploadRate: '20000', extraMs: 150 },
  leaving: { others: true, leaves: true, extraMs: 150 },
  lying: { others: true, init: lie, extraMs: 50 },
  unreachable: { others: true, walls: places => places, extraMs: 50 },
  half: { others: true, walls: places => places.filter((_, index) => index % 2 === 1), extraMs: 50 },
  silent: { mediator: 'silent', extraMs: 50 },
  refused: { mediator: 'refused', extraMs: 50 }
}

/** What each of them is, in words. */
export const ABOUT = {
  good: 'serve well',
  none: 'are not there',
  slow: 'give 20 kB a second',
  leaving: `leave when they have given ${LEAVE_AFTER_BYTES / 1_000} kB`,
  lying: 'send one wrong bit in every message with blocks',
  unreachable: 'cannot be reached',
  half: 'every second cannot be reached',
  silent: 'the mediator takes connections and says nothing',
  refused: 'the mediator refuses connections'
}

/** Runs in a page: one bit in every message with blocks is another. */
function lie() {
  const { send } = RTCDataChannel.prototype
  RTCDataChannel.prototype.send = function (message) {
    if (typeof message === 'string' || message.byteLength === undefined || message.byteLength <= 1_000)
      return send.call(this, message)
    const bytes = ArrayBuffer.isView(message)
      ? new Uint8Array(message.buffer, message.byteOffset, message.byteLength)
      : new Uint8Array(message)
    const wrong = bytes.slice()
    wrong[wrong.length - 5] ^= 1
    return send.call(this, wrong)
  }
}
