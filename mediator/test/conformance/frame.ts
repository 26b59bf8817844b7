import { randomBytes } from 'node:crypto'

/** WebSocket opcodes (RFC 6455, section 5.2). */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** One WebSocket frame, right or wrong. */
export interface Frame {
  readonly opcode: number
  readonly payload: Uint8Array | string
  /** `false`: more fragments of this message follow. */
  readonly final?: boolean
  /** `false`: sent without a mask, which a client must not do. */
  readonly masked?: boolean
  /** The three reserved bits, 0 to 7. */
  readonly reserved?: number
  /** The length that the header claims, where it is not the payload's. */
  readonly claimedLength?: number
}

/** The bytes of a frame as a client sends it (RFC 6455, section 5.2). */
export function encodeFrame(frame: Frame): Buffer {
  const payload = Buffer.from(frame.payload)
  const masked = frame.masked ?? true
  const first = ((frame.final ?? true) ? 0x80 : 0) | ((frame.reserved ?? 0) << 4) | frame.opcode
  const length = encodeLength(frame.claimedLength ?? payload.length, masked ? 0x80 : 0)
  if (!masked) return Buffer.concat([Buffer.of(first), length, payload])
  const mask = randomBytes(4)
  const hidden = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))
  return Buffer.concat([Buffer.of(first), length, mask, hidden])
}

function encodeLength(length: number, maskBit: number): Buffer {
  if (length < 126) return Buffer.of(maskBit | length)
  const short = length < 65_536
  const bytes = Buffer.alloc(short ? 3 : 9)
  bytes[0] = maskBit | (short ? 126 : 127)
  if (short) bytes.writeUInt16BE(length, 1)
  else bytes.writeBigUInt64BE(BigInt(length), 1)
  return bytes
}
