import { crc32 } from 'node:zlib'

const ENTRY_MARK = 0x0403_4b50
const INDEX_MARK = 0x0201_4b50
const END_MARK = 0x0605_4b50
/** The least version that unpacks it, and names in UTF-8. */
const VERSION = 20
const UTF_8 = 0x800
/** 1 January 2024, as ZIP writes it: it has no later bytes for being packed later. */
const DATE = ((2024 - 1980) << 9) | (1 << 5) | 1

/** A ZIP of these files, each with `name` and `bytes`. They are stored as they are: pictures get no smaller. */
export function encodeZip(files) {
  const entries = []
  const index = []
  let offset = 0
  for (const { name, bytes } of files) {
    const path = Buffer.from(name)
    const common = fields(
      [VERSION, 2],
      [UTF_8, 2],
      [0, 2],
      [0, 2],
      [DATE, 2],
      [crc32(bytes), 4],
      [bytes.length, 4]
    )
    const lengths = fields([bytes.length, 4], [path.length, 2], [0, 2])
    const entry = Buffer.concat([fields([ENTRY_MARK, 4]), common, lengths, path, bytes])
    const rest = fields([0, 2], [0, 2], [0, 2], [0, 4], [offset, 4])
    index.push(Buffer.concat([fields([INDEX_MARK, 4], [VERSION, 2]), common, lengths, rest, path]))
    entries.push(entry)
    offset += entry.length
  }
  const listed = Buffer.concat(index)
  const count = files.length
  const end = fields([END_MARK, 4], [0, 4], [count, 2], [count, 2], [listed.length, 4], [offset, 4], [0, 2])
  return Buffer.concat([...entries, listed, end])
}

/** Numbers, the lowest byte first. */
function fields(...numbers) {
  const bytes = Buffer.alloc(numbers.reduce((sum, [, size]) => sum + size, 0))
  let at = 0
  for (const [value, size] of numbers) at = bytes.writeUIntLE(value, at, size)
  return bytes
}
