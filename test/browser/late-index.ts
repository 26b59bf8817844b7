import type { TestFile } from './content.js'

/** Samples of one FLAC frame. */
const FRAME = 4096
const SAMPLE_RATE = 44_100

/**
 * A tone of so many seconds as FLAC in MP4, whose index (`moov`) is at its end: nothing of it can be played before
 * that is there. The samples are not compressed: 88 kB a second.
 */
export function songWithLateIndex(seconds: number): TestFile {
  const frames = Array.from({ length: Math.floor((seconds * SAMPLE_RATE) / FRAME) }, (_, i) => frame(i))
  const ftyp = box('ftyp', ascii('M4A '), u32(0), ascii('M4A mp42isom'))
  const mdat = box('mdat', ...frames)
  const sizes = frames.map(({ length }) => length)
  const moov = movie(sizes, ftyp.length + 8)
  return { name: 'late index.m4a', mimeType: 'audio/mp4', buffer: Buffer.concat([ftyp, mdat, moov]) }
}

/** One frame with verbatim samples, mono, 16 bits (RFC 9639, 9). */
function frame(index: number): Buffer {
  const header = Buffer.concat([Buffer.from([0xff, 0xf8, 0xc9, 0x08]), codedNumber(index)])
  const samples = Buffer.alloc(2 * FRAME)
  for (let i = 0; i < FRAME; i++) {
    const time = (index * FRAME + i) / SAMPLE_RATE
    samples.writeInt16BE(
      Math.round(9000 * Math.sin(2 * Math.PI * (220 + 20 * Math.floor(time)) * time)),
      2 * i
    )
  }
  const checked = Buffer.concat([header, Buffer.from([crc(header, 8, 0x07), 0x02]), samples])
  return Buffer.concat([checked, u16(crc(checked, 16, 0x8005))])
}

/** A number as UTF-8 codes a character. */
function codedNumber(value: number): Buffer {
  return Buffer.from(String.fromCodePoint(value))
}

function crc(bytes: Buffer, bits: 8 | 16, polynomial: number): number {
  const [top, mask] = [2 ** (bits - 1), 2 ** bits - 1]
  let sum = 0
  for (const byte of bytes) {
    sum ^= byte << (bits - 8)
    for (let bit = 0; bit < 8; bit++) sum = ((sum & top) === 0 ? sum << 1 : (sum << 1) ^ polynomial) & mask
  }
  return sum
}

/** The index: one track, one sample for each frame, all of them in one chunk that begins at `offset`. */
function movie(sizes: readonly number[], offset: number): Buffer {
  const duration = u32(sizes.length * FRAME)
  const matrix = Buffer.concat([0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000].map(u32))
  const times = [u32(0), u32(0)]
  const streamInfo = Buffer.concat([
    u16(FRAME),
    u16(FRAME),
    Buffer.alloc(6),
    // 20 bits of sample rate, 3 of channels - 1, 5 of bits - 1, 36 of samples.
    u32(SAMPLE_RATE * 2 ** 12 + 15 * 2 ** 4),
    duration,
    Buffer.alloc(16)
  ])
  const dfLa = full('dfLa', Buffer.from([0x80, 0, 0, streamInfo.length]), streamInfo)
  const entry = box(
    'fLaC',
    Buffer.alloc(6),
    u16(1),
    Buffer.alloc(8),
    u16(1),
    u16(16),
    u32(0),
    u32(SAMPLE_RATE * 2 ** 16),
    dfLa
  )
  const table = box(
    'stbl',
    full('stsd', u32(1), entry),
    full('stts', u32(1), u32(sizes.length), u32(FRAME)),
    full('stsc', u32(1), u32(1), u32(sizes.length), u32(1)),
    full('stsz', u32(0), u32(sizes.length), ...sizes.map(u32)),
    full('stco', u32(1), u32(offset))
  )
  const dinf = box('dinf', full('dref', u32(1), box('url ', u32(1))))
  const media = box(
    'mdia',
    full('mdhd', ...times, u32(SAMPLE_RATE), duration, u16(0x55c4), u16(0)),
    full('hdlr', u32(0), ascii('soun'), Buffer.alloc(12), ascii('Sound\0')),
    box('minf', full('smhd', u32(0)), dinf, table)
  )
  const track = box(
    'trak',
    box(
      'tkhd',
      u32(3),
      ...times,
      u32(1),
      u32(0),
      duration,
      Buffer.alloc(12),
      u16(0x100),
      u16(0),
      matrix,
      Buffer.alloc(8)
    ),
    media
  )
  const head = full(
    'mvhd',
    ...times,
    u32(SAMPLE_RATE),
    duration,
    u32(0x10000),
    u16(0x100),
    Buffer.alloc(10),
    matrix,
    Buffer.alloc(24),
    u32(2)
  )
  return box('moov', head, track)
}

function box(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([u32(8 + body.length), ascii(type), body])
}

/** A box with version and flags, both 0. */
function full(type: string, ...parts: readonly Buffer[]): Buffer {
  return box(type, u32(0), ...parts)
}

function ascii(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff])
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
