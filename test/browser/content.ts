import type { Download, Page } from 'playwright-core'
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'

/** Samples per second of the song: enough for an ear, little enough for a test. */
const SAMPLE_RATE = 8000

/** A file as Playwright puts it into a page. */
export interface TestFile {
  readonly name: string
  readonly mimeType: string
  readonly buffer: Buffer
}

/** A picture of mayflies over a river, 900 × 600, JPEG. */
export function photo(): TestFile {
  const buffer = readFileSync(new URL('fixtures/photo.jpg', import.meta.url))
  return { name: 'Mayflies over the river.jpg', mimeType: 'image/jpeg', buffer }
}

/** Four seconds of a melody, 16-bit WAV. */
export function song(): TestFile {
  return melody('evening song.wav', 4, SAMPLE_RATE)
}

/** A melody of so many seconds, 88 kB each. */
export function longSong(seconds: number): TestFile {
  return melody('long evening.wav', seconds, 44_100)
}

function melody(name: string, seconds: number, sampleRate: number): TestFile {
  const samples = seconds * sampleRate
  const buffer = Buffer.alloc(44 + 2 * samples)
  buffer.write('RIFF', 0)
  buffer.writeUInt32LE(36 + 2 * samples, 4)
  buffer.write('WAVEfmt ', 8)
  for (const [offset, value] of [
    [16, 16],
    [24, sampleRate],
    [28, 2 * sampleRate],
    [40, 2 * samples]
  ] as const) {
    buffer.writeUInt32LE(value, offset)
  }
  for (const [offset, value] of [
    [20, 1],
    [22, 1],
    [32, 2],
    [34, 16]
  ] as const)
    buffer.writeUInt16LE(value, offset)
  buffer.write('data', 36)
  for (let index = 0; index < samples; index++) {
    const time = index / sampleRate
    const tone = [262, 330, 392, 523][Math.floor(2 * time) % 4] ?? 262
    const value = 9000 * Math.sin(2 * Math.PI * tone * time) * Math.exp(-2 * ((2 * time) % 1))
    buffer.writeInt16LE(Math.round(value), 44 + 2 * index)
  }
  return { name, mimeType: 'audio/wav', buffer }
}

/** A file of text. */
export function text(name: string, content: string, mimeType = 'text/plain'): TestFile {
  return { name, mimeType, buffer: Buffer.from(content) }
}

/** Presses Save of the file with this name, and gives what the browser saves. */
export async function save(page: Page, name: string): Promise<Download> {
  const link = page.getByRole('link', { name: `Save ${name}` })
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()])
  return download
}

/** SHA-256 of a file's bytes in hex digits. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** The bytes that Save gives for the file with this name. */
export async function savedBytes(page: Page, name: string): Promise<Buffer> {
  return readFileSync(await (await save(page, name)).path())
}

/** The card of the file with this name on a leecher page. */
export function card(page: Page, name: string) {
  return page.locator('li.file').filter({ has: page.getByRole('heading', { name, exact: true }) })
}
