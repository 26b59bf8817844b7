import { Bits } from './bits.mjs'

/** The square that H.264 works on: 16 × 16 samples of luma, 8 × 8 of each chroma. */
const MACROBLOCK = 16
const MACROBLOCK_BYTES = 384
/** A square whose samples all differ by less is left as it was. */
const SAME = 3
const BASELINE = 66
const LEVEL = 40
const FRAME_NUMBER_BITS = 8
/** Kinds of units, with the bits that say that others refer to them. */
const UNIT = { change: 0x61, key: 0x65, sequence: 0x67, picture: 0x68 }
/** "I_PCM": samples as they are. Its number is higher among changes, behind five kinds of predicted squares. */
const SAMPLES_IN_KEY = 25
const SAMPLES_IN_CHANGE = 30

/**
 * H.264 in its simplest form: each square of a picture is either stored as it is or the same as in the picture before. That needs
 * no transform, and every decoder knows it. Good for drawings in which little moves.
 */
export class H264Encoder {
  /** Before the first picture: the units that decoders are set up by. */
  sequence
  picture
  #columns
  #rows
  #before
  #number = 0
  #keys = 0

  /** Both even. */
  constructor({ width, height }) {
    this.#columns = Math.ceil(width / MACROBLOCK)
    this.#rows = Math.ceil(height / MACROBLOCK)
    this.sequence = unit(
      UNIT.sequence,
      sequenceOf({ width, height, columns: this.#columns, rows: this.#rows })
    )
    this.picture = unit(UNIT.picture, pictureSettings())
  }

  /** One picture of three bytes per pixel, as a unit. A key needs no other. */
  encode(picture, isKey) {
    const squares = squaresOf(picture, this.#columns, this.#rows)
    const bits = new Bits(squares.length * (MACROBLOCK_BYTES + 8) + 64)
    if (isKey) this.#addKey(bits, squares)
    else this.#addChanges(bits, squares)
    return unit(isKey ? UNIT.key : UNIT.change, bits.finish())
  }

  #addKey(bits, squares) {
    this.#number = 0
    // First square 0, only stored squares, settings 0, number 0, key 0 or 1 in turn.
    bits.addNumber(0).addNumber(7).addNumber(0).add(0, FRAME_NUMBER_BITS)
    bits.addNumber(this.#keys++ % 2)
    // Pictures before are shown, this one is no long-term reference; usual quantiser; no filter at the edges of squares.
    bits.add(0, 2).addNumber(0).addNumber(1)
    for (const square of squares) bits.addNumber(SAMPLES_IN_KEY).addBytes(square)
    this.#before = squares
  }

  #addChanges(bits, squares) {
    this.#number = (this.#number + 1) % 2 ** FRAME_NUMBER_BITS
    bits.addNumber(0).addNumber(5).addNumber(0).add(this.#number, FRAME_NUMBER_BITS)
    // As many references as the settings say, in their order, kept as usual; quantiser and filter as above.
    bits.add(0, 3).addNumber(0).addNumber(1)
    let same = 0
    for (const [index, square] of squares.entries()) {
      if (isSame(square, this.#before[index])) {
        same++
        continue
      }
      bits.addNumber(same).addNumber(SAMPLES_IN_CHANGE).addBytes(square)
      this.#before[index] = square
      same = 0
    }
    if (same > 0) bits.addNumber(same)
  }
}

function sequenceOf({ width, height, columns, rows }) {
  const bits = new Bits(64)
  // What any baseline and main decoder reads.
  bits.add(BASELINE, 8).add(0b1100_0000, 8).add(LEVEL, 8).addNumber(0)
  bits.addNumber(FRAME_NUMBER_BITS - 4)
  // Pictures are shown in the order in which they come; one is referred to; no number is left out.
  bits.addNumber(2).addNumber(1).add(0, 1)
  bits.addNumber(columns - 1).addNumber(rows - 1)
  // Whole frames; then what is cut off on the right and below, in steps of two.
  bits.add(0b11, 2).add(1, 1)
  bits.addNumber(0).addNumber((columns * MACROBLOCK - width) / 2)
  bits.addNumber(0).addNumber((rows * MACROBLOCK - height) / 2)
  // Colours as of BT.709, 16 to 235; nothing else is told.
  bits.add(1, 1).add(0, 2).add(1, 1).add(5, 3).add(0, 1).add(1, 1).add(1, 8).add(1, 8).add(1, 8)
  bits.add(0, 6)
  return bits.finish()
}

function pictureSettings() {
  const bits = new Bits(64)
  // Codes of variable length, one group of slices, one reference.
  bits.addNumber(0).addNumber(0).add(0, 2).addNumber(0).addNumber(0).addNumber(0).add(0, 3)
  // The usual quantisers; each slice says how it filters.
  bits.addNumber(0).addNumber(0).addNumber(0).add(0b100, 3)
  return bits.finish()
}

/** The samples of every square: luma, blue, red. What lies outside of the picture repeats its edge. */
function squaresOf({ width, height, pixels }, columns, rows) {
  const squares = []
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const square = new Uint8Array(MACROBLOCK_BYTES)
      for (let at = 0; at < 64; at++) {
        const x = column * MACROBLOCK + 2 * (at % 8)
        const y = row * MACROBLOCK + 2 * (at >> 3)
        addFour(square, at, [offset(x, y), offset(x + 1, y), offset(x, y + 1), offset(x + 1, y + 1)])
      }
      squares.push(square)
    }
  }
  return squares

  function offset(x, y) {
    return 3 * (Math.min(y, height - 1) * width + Math.min(x, width - 1))
  }

  /** Four pixels have a luma each, and share their chroma. */
  function addFour(square, at, four) {
    const luma = 32 * (at >> 3) + 2 * (at % 8)
    let [red, green, blue] = [0, 0, 0]
    for (const [index, from] of four.entries()) {
      const [r, g, b] = [pixels[from], pixels[from + 1], pixels[from + 2]]
      square[luma + (index & 1) + 16 * (index >> 1)] = 16 + 0.1826 * r + 0.6142 * g + 0.062 * b
      red += r / 4
      green += g / 4
      blue += b / 4
    }
    square[256 + at] = 128.5 - 0.1006 * red - 0.3386 * green + 0.4392 * blue
    square[320 + at] = 128.5 + 0.4392 * red - 0.3989 * green - 0.0403 * blue
  }
}

function isSame(square, before) {
  for (let at = 0; at < MACROBLOCK_BYTES; at++) {
    if (Math.abs(square[at] - before[at]) >= SAME) return false
  }
  return true
}

/** With its first byte, and so that no three bytes look like a mark between units. */
function unit(kind, content) {
  const bytes = Buffer.alloc(Math.ceil(content.length * 1.5) + 1)
  bytes[0] = kind
  let length = 1
  let zeros = 0
  for (const byte of content) {
    if (zeros >= 2 && byte <= 3) {
      bytes[length++] = 3
      zeros = 0
    }
    bytes[length++] = byte
    zeros = byte === 0 ? zeros + 1 : 0
  }
  return bytes.subarray(0, length)
}
