import { crc32, deflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])
const BYTES_PER_PIXEL = 3
/** Filter type "Sub": each byte is the difference to the pixel on its left. Smooth shading becomes small numbers. */
const SUB = 1
/** The best is hardly smaller than this, and takes twice the time. */
const LEVEL = 7

/** A PNG of these pixels, three bytes for each: red, green, blue. */
export function encodePng({ width, height, pixels }) {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // 8 bits for each of red, green and blue.
  header.set([8, 2], 8)
  const rows = filtered(pixels, width * BYTES_PER_PIXEL, height)
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: LEVEL })),
    chunk('IEND', Buffer.alloc(0))
  ])
}

function filtered(pixels, stride, height) {
  const rows = Buffer.alloc((stride + 1) * height)
  for (let y = 0; y < height; y++) {
    const from = y * stride
    const to = from + y
    rows[to] = SUB
    for (let x = 0; x < stride; x++) {
      const left = x < BYTES_PER_PIXEL ? 0 : pixels[from + x - BYTES_PER_PIXEL]
      rows[to + 1 + x] = pixels[from + x] - left
    }
  }
  return rows
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const framed = Buffer.alloc(body.length + 8)
  framed.writeUInt32BE(data.length, 0)
  body.copy(framed, 4)
  framed.writeUInt32BE(crc32(body), body.length + 4)
  return framed
}
