import { expect } from 'chai'
import { imageSize } from '../../src/manifest/image-size.js'

/** Bytes from numbers and texts, in order. */
function bytes(...parts: (number | string)[]): Uint8Array {
  return Buffer.concat(
    parts.map(part => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.of(part)))
  )
}

const PNG = bytes('\x89PNG\r\n\x1a\n', '\0\0\0\x0dIHDR', 0, 0, 1, 2, 0, 0, 3, 4)
const GIF = bytes('GIF89a', 0x84, 0x03, 0xfa, 0x01)
const FRAME = bytes(0xff, 0xc2, 0, 17, 8, 0x01, 0xfa, 0x03, 0x84, 3)
const TABLE = bytes(0xff, 0xc4, 0, 4, 9, 9)
const JPEG = bytes(0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2)

/** Exif with an orientation, in either byte order. */
function exif(orientation: number, isLittle: boolean): Uint8Array {
  const tiff = isLittle
    ? bytes('II*\0', 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0)
    : bytes('MM\0*', 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0)
  return Buffer.concat([bytes(0xff, 0xe1, 0, tiff.length + 8, 'Exif\0\0'), tiff])
}

describe('the size of an image', () => {
  it('is read from PNG, GIF and JPEG', () => {
    expect(imageSize(PNG)).to.deep.equal({ width: 258, height: 772 })
    expect(imageSize(GIF)).to.deep.equal({ width: 900, height: 506 })
    expect(imageSize(Buffer.concat([JPEG, TABLE, bytes(0xff), FRAME]))).to.deep.equal({
      width: 900,
      height: 506
    })
  })

  it('is read from all three forms of WebP', () => {
    const riff = (form: string, ...rest: number[]): Uint8Array => bytes('RIFF....WEBP', form, ...rest)
    const large = riff('VP8X', 0, 0, 0, 0, 0, 0, 0, 0, 0x83, 3, 0, 0xf9, 1, 0)
    expect(imageSize(large)).to.deep.equal({ width: 900, height: 506 })
    const bits = 899 | (505 << 14)
    const lossless = riff(
      'VP8L',
      0,
      0,
      0,
      0,
      0x2f,
      bits & 255,
      (bits >> 8) & 255,
      (bits >> 16) & 255,
      bits >> 24
    )
    expect(imageSize(lossless)).to.deep.equal({ width: 900, height: 506 })
    const lossy = riff('VP8 ', 0, 0, 0, 0, 0, 0, 0, 0x9d, 1, 0x2a, 0x84, 0x43, 0xfa, 0x81)
    expect(imageSize(lossy)).to.deep.equal({ width: 900, height: 506 })
  })

  it('is that of the image as it is shown, where Exif turns it', () => {
    for (const isLittle of [true, false]) {
      const turned = (orientation: number): Uint8Array =>
        Buffer.concat([JPEG, exif(orientation, isLittle), FRAME])
      expect(imageSize(turned(6))).to.deep.equal({ width: 506, height: 900 })
      expect(imageSize(turned(3))).to.deep.equal({ width: 900, height: 506 })
    }
  })

  it('is none where bytes are cut off anywhere, or say something else', () => {
    for (const whole of [PNG, GIF, Buffer.concat([JPEG, exif(6, true), FRAME])])
      for (let length = 0; length < whole.length - 1; length++)
        expect(imageSize(whole.subarray(0, length)), `${length} bytes`).to.equal(undefined)
    expect(imageSize(bytes('<svg xmlns="http://www.w3.org/2000/svg">'))).to.equal(undefined)
    expect(imageSize(bytes('GIF89a', 0, 0, 5, 0))).to.equal(undefined)
    expect(imageSize(bytes('RIFF....WAVE', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))).to.equal(undefined)
  })
})
