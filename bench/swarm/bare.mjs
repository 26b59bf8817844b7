// One end of a bare data channel in Node.js. Its parent carries the signals, and hears from the receiving end how fast it
// was: after two mebibytes, so that the slow start does not count.
import wrtc from '@roamhq/wrtc'

const MESSAGE_BYTES = 65_536
const HIGH_WATER = 1_048_576
const POLL_MS = 5
const UNCOUNTED_BYTES = 2_097_152

const connection = new wrtc.RTCPeerConnection({ iceServers: [] })
connection.onicecandidate = ({ candidate }) => {
  if (candidate) process.send({ signal: { candidate: candidate.toJSON?.() ?? candidate } })
}

process.on('disconnect', () => process.exit(1))
process.on('message', message => void hear(message))
process.send({ ready: true })

async function hear({ type, length, signal }) {
  if (type === 'send') await offer(length)
  else if (type === 'receive') connection.ondatachannel = ({ channel }) => count(channel, length)
  else if (signal.candidate) await connection.addIceCandidate(signal.candidate)
  else await accept(signal.description)
}

async function offer(length) {
  const channel = connection.createDataChannel('bare')
  channel.onopen = () => pump(channel, length)
  await describe(await connection.createOffer())
}

async function accept(description) {
  await connection.setRemoteDescription(description)
  if (description.type === 'offer') await describe(await connection.createAnswer())
}

async function describe(description) {
  await connection.setLocalDescription(description)
  process.send({ signal: { description: { type: description.type, sdp: description.sdp } } })
}

/** Looks often instead of waiting for `bufferedamountlow`, which is missing in Node.js. */
function pump(channel, length) {
  const message = new Uint8Array(MESSAGE_BYTES)
  let missing = length
  const timer = setInterval(() => {
    for (; missing > 0 && channel.bufferedAmount < HIGH_WATER; missing -= MESSAGE_BYTES) channel.send(message)
    if (missing <= 0) clearInterval(timer)
  }, POLL_MS)
}

function count(channel, length) {
  let received = 0
  let startedAt
  let startedWith
  channel.binaryType = 'arraybuffer'
  channel.onmessage = ({ data }) => {
    received += data.byteLength
    if (startedAt === undefined && received >= UNCOUNTED_BYTES) {
      startedAt = performance.now()
      startedWith = received
    }
    if (received < length) return
    const seconds = (performance.now() - startedAt) / 1000
    process.send({ bytesPerSecond: (received - startedWith) / seconds })
  }
}
