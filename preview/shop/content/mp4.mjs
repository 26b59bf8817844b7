/** No rotation, no scaling. */
const MATRIX = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]
/** "und", the language of a film without words. */
const LANGUAGE = 0x55c4

/**
 * An MP4 with one track of H.264, its index in front, so that it plays while it arrives.
 *
 * `samples`: the pictures, each with its `unit` and whether it is a `key`; `sequence` and `picture` are the units that set up a
 * decoder.
 */
export function encodeMp4({ width, height, framesPerSecond, sequence, picture, samples }) {
  const sizes = samples.map(({ unit }) => unit.length + 4)
  const duration = samples.length
  const track = { width, height, framesPerSecond, duration, sequence, picture, samples, sizes }
  const type = box('ftyp', text('isom'), u32(0x200), text('isomiso2avc1mp41'))
  // The index has the same length wherever the pictures begin.
  const start = type.length + movie(track, 0).length + 8
  const data = box('mdat', ...samples.flatMap(({ unit }) => [u32(unit.length), unit]))
  return Buffer.concat([type, movie(track, start), data])
}

function movie(track, start) {
  const { width, height, framesPerSecond, duration } = track
  return box(
    'moov',
    full(
      'mvhd',
      0,
      u32(0, 0, framesPerSecond, duration, 0x1_0000),
      u16(0x100, 0),
      u32(0, 0, ...MATRIX),
      zeros(24),
      u32(2)
    ),
    box(
      'trak',
      // It is enabled, and part of the film.
      full('tkhd', 3, u32(0, 0, 1, 0, duration, 0, 0), zeros(8), u32(...MATRIX, width << 16, height << 16)),
      box(
        'mdia',
        full('mdhd', 0, u32(0, 0, framesPerSecond, duration), u16(LANGUAGE, 0)),
        full('hdlr', 0, u32(0), text('vide'), zeros(12), text('film\0')),
        box(
          'minf',
          full('vmhd', 1, zeros(8)),
          box('dinf', full('dref', 0, u32(1), full('url ', 1))),
          sampleTable(track, start)
        )
      )
    )
  )
}

function sampleTable({ width, height, sequence, picture, samples, sizes }, start) {
  const keys = samples.flatMap(({ isKey }, index) => (isKey ? [index + 1] : []))
  const settings = box(
    'avcC',
    Buffer.from([1, ...sequence.subarray(1, 4), 0xff, 0xe1]),
    u16(sequence.length),
    sequence,
    Buffer.from([1]),
    u16(picture.length),
    picture
  )
  const entry = box(
    'avc1',
    zeros(6),
    u16(1),
    zeros(16),
    u16(width, height),
    // 72 dots per inch, one picture per sample, no name, 24 bits.
    u32(0x48_0000, 0x48_0000, 0),
    u16(1),
    zeros(32),
    u16(24, 0xffff),
    settings
  )
  return box(
    'stbl',
    full('stsd', 0, u32(1), entry),
    full('stts', 0, u32(1, samples.length, 1)),
    full('stss', 0, u32(keys.length, ...keys)),
    // All in one chunk.
    full('stsc', 0, u32(1, 1, samples.length, 1)),
    full('stsz', 0, u32(0, samples.length, ...sizes)),
    full('stco', 0, u32(1, start))
  )
}

function box(name, ...parts) {
  const content = Buffer.concat(parts)
  return Buffer.concat([u32(content.length + 8), text(name), content])
}

/** A box with a version, always 0, and flags. */
function full(name, flags, ...parts) {
  return box(name, u32(flags), ...parts)
}

function u32(...values) {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index)
  return bytes
}

function u16(...values) {
  const bytes = Buffer.alloc(2 * values.length)
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, 2 * index)
  return bytes
}

function text(ascii) {
  return Buffer.from(ascii, 'latin1')
}

function zeros(length) {
  return Buffer.alloc(length)
}
