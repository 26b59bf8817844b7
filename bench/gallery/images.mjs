import { crc32, deflateSync } from 'node:zlib'

const LEAST_BYTES = 12_000
const MOST_BYTES = 60_000
const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])
/** Width in pixels; the height decides how many bytes an image has. */
const WIDTH = 128
const BYTES_PER_PIXEL = 3
/** Images that are kept; the oldest go first. */
const MAX_KEPT = 1_000

const kept = new Map()

/** A PNG of noise with 12 to 60 kB. `key` and `index` decide about its bytes. */
export function imageOf(key, index) {
  const name = `${key}-${index}`
  const found = kept.get(name)
  if (found !== undefined) return found
  const image = encoded(noise(key, index))
  kept.set(name, image)
  if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value)
  return image
}

/** Rows of pixels, each behind the byte that says that it is not filtered. */
function noise(key, index) {
  let state = (key ^ Math.imul(index + 1, 0x9e37_79b1)) >>> 0 || 1
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  const bytes = LEAST_BYTES + (next() % (MOST_BYTES - LEAST_BYTES))
  const stride = 1 + WIDTH * BYTES_PER_PIXEL
  const rows = Buffer.alloc(Math.round(bytes / stride) * stride)
  for (let at = 0; at < rows.length; at++) rows[at] = at % stride === 0 ? 0 : next() & 0xff
  return { rows, height: rows.length / stride }
}

function encoded({ rows, height }) {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(WIDTH, 0)
  header.writeUInt32BE(height, 4)
  // 8 bits for each of red, green and blue.
  header.set([8, 2], 8)
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 0 })),
    chunk('IEND', Buffer.alloc(0))
  ])
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const framed = Buffer.alloc(body.length + 8)
  framed.writeUInt32BE(data.length, 0)
  body.copy(framed, 4)
  framed.writeUInt32BE(crc32(body), body.length + 4)
  return framed
}
