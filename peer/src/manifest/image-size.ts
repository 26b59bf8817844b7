/** Pixels of an image as it is shown. */
export interface ImageSize {
  readonly width: number
  readonly height: number
}

/**
 * How large an image is, from its first bytes: PNG, GIF, JPEG (also those that are shown turned), WebP. Undefined where that is
 * not said in them, or not understood.
 */
export function imageSize(bytes: Uint8Array): ImageSize | undefined {
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const found = isPng(view) ? png(view) : isGif(view) ? gif(view) : isJpeg(view) ? jpeg(view) : webp(view)
    return found !== undefined && found.width > 0 && found.height > 0 ? found : undefined
  } catch {
    // It ends before.
    return undefined
  }
}

const isPng = (view: DataView): boolean =>
  view.getUint32(0) === 0x89504e47 && view.getUint32(12) === 0x49484452
const isGif = (view: DataView): boolean => view.getUint32(0) === 0x47494638
const isJpeg = (view: DataView): boolean => view.getUint16(0) === 0xffd8

const png = (view: DataView): ImageSize => ({ width: view.getUint32(16), height: view.getUint32(20) })
const gif = (view: DataView): ImageSize => ({
  width: view.getUint16(6, true),
  height: view.getUint16(8, true)
})

/** Markers of a frame: all from C0 to CF but tables of Huffman codes, extensions and arithmetic coding. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)

function jpeg(view: DataView): ImageSize | undefined {
  let isTurned = false
  for (let at = 2; view.getUint8(at) === 0xff; at += 2 + view.getUint16(at + 2)) {
    // Any marker may have more of these before it.
    while (view.getUint8(at + 1) === 0xff) at++
    const marker = view.getUint8(at + 1)
    if (marker === 0xe1) isTurned ||= isTurnedBy(view, at + 4)
    if (!isFrame(marker)) continue
    const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)]
    return isTurned ? { width: height, height: width } : { width, height }
  }
  return undefined
}

/** Whether Exif says that the image is shown turned by a quarter: orientations 5 to 8. */
function isTurnedBy(view: DataView, start: number): boolean {
  // `Exif`, and then a TIFF of either byte order.
  if (view.getUint32(start) !== 0x45786966) return false
  const tiff = start + 6
  const isLittle = view.getUint16(tiff) === 0x4949
  const table = tiff + view.getUint32(tiff + 4, isLittle)
  const count = view.getUint16(table, isLittle)
  for (let i = 0; i < count; i++) {
    const entry = table + 2 + 12 * i
    if (view.getUint16(entry, isLittle) === 0x0112) return view.getUint16(entry + 8, isLittle) > 4
  }
  return false
}

function webp(view: DataView): ImageSize | undefined {
  if (view.getUint32(0) !== 0x52494646 || view.getUint32(8) !== 0x57454250) return undefined
  const form = view.getUint32(12)
  const threeBytes = (at: number): number => view.getUint16(at, true) + (view.getUint8(at + 2) << 16)
  // VP8X, then VP8L, then VP8 with a space.
  if (form === 0x56503858) return { width: 1 + threeBytes(24), height: 1 + threeBytes(27) }
  if (form === 0x5650384c) {
    const bits = view.getUint32(21, true)
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) }
  }
  if (form !== 0x56503820) return undefined
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }
}
