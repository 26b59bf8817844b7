/** Numbers as people read them. */

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB']

/** Bytes in steps of 1,000, three digits: "0 bytes", "12.3 MB". */
export function bytesText(bytes: number): string {
  if (bytes === 1) return '1 byte'
  const step = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)))
  const figure = bytes / 1000 ** step
  const digits = step === 0 || figure >= 100 ? 0 : 1
  return `${figure.toFixed(digits)} ${UNITS[step] ?? ''}`
}

/** How far `part` is of `whole`, rounded down, so that 100 % means all of it. */
export function percentText(part: number, whole: number): string {
  return `${whole === 0 ? 100 : Math.floor((100 * part) / whole)} %`
}

/** What share of `whole` is `part`, rounded. */
export function shareText(part: number, whole: number): string {
  return `${whole === 0 ? 0 : Math.round((100 * part) / whole)} %`
}

/** A time to wait, as exact as anyone can use: "a moment", "40 s", "3 min", "2 h". */
export function secondsText(seconds: number): string {
  if (seconds < 2) return 'a moment'
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`
  return seconds < 48 * 3600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`
}

/** "1 file", "3 files". */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** The first digits of a peer's id: enough to tell the few on a page apart. */
export function shortId(id: string): string {
  return id.slice(0, 6)
}

/** A place in a song or film: "0:07", "12:34", "1:02:03". */
export function timeText(seconds: number): string {
  const whole = Math.floor(Math.max(0, seconds))
  const two = (value: number): string => String(value).padStart(2, '0')
  const minutes = Math.floor(whole / 60)
  const hours = Math.floor(minutes / 60)
  return hours === 0 ? `${minutes}:${two(whole % 60)}` : `${hours}:${two(minutes % 60)}:${two(whole % 60)}`
}
