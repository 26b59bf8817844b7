/** How a page shows a content in place, decided by its first bytes. */
export interface Showing {
  readonly kind: 'image' | 'audio' | 'video' | 'text'
  /** MIME type that the bytes have, whatever anyone said about them. */
  readonly type: string
}

/** Bytes from the start that `showingOf` wants to see, or all there are. */
export const FIRST_BYTES = 4096

/** Types by file extension, for contents whose sender named no type. Only tells which kind the content claims to be. */
const TYPE_BY_EXTENSION: ReadonlyMap<string, string> = new Map([
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['gif', 'image/gif'],
  ['webp', 'image/webp'],
  ['avif', 'image/avif'],
  ['svg', 'image/svg+xml'],
  ['mp3', 'audio/mpeg'],
  ['m4a', 'audio/mp4'],
  ['ogg', 'audio/ogg'],
  ['oga', 'audio/ogg'],
  ['opus', 'audio/ogg'],
  ['wav', 'audio/wav'],
  ['flac', 'audio/flac'],
  ['mp4', 'video/mp4'],
  ['m4v', 'video/mp4'],
  ['webm', 'video/webm'],
  ['ogv', 'video/ogg'],
  ['txt', 'text/plain'],
  ['md', 'text/markdown'],
  ['csv', 'text/csv'],
  ['log', 'text/plain'],
  ['json', 'application/json'],
  ['html', 'text/html'],
  ['htm', 'text/html'],
  ['xhtml', 'application/xhtml+xml'],
  ['xml', 'application/xml'],
  ['pdf', 'application/pdf']
])

/** Text that a browser could take for a document with scripts in it, or for one that another program opens. */
const MARKUP =
  /^[\s\ufeff]*(?:<(?:!doctype|!--|\?xml|\?php|html|head|body|svg|script|style|iframe|meta|link|title|table|h1|div|p|a|b|br)(?=[\s>/[-]|$)|%!?pdf|%!ps|\{\\rtf)/i

/**
 * How to show a content in place, or undefined where it may only be saved. The claim (a type from a link, else the
 * file's name) must be on the list of what is shown, and the bytes must be of that kind. SVG, HTML, PDF and
 * everything unknown are only saved, whatever they are called.
 */
export function showingOf(first: Uint8Array, claimedType: string, name = ''): Showing | undefined {
  const claim = claimedOf(claimedType, name)
  if (claim === 'none') return undefined
  const media = mediaOf(first)
  if (media !== undefined) return claim === 'any' || fits(claim, media) ? as(claim, media) : undefined
  if (claim !== 'any' && claim !== 'text') return undefined
  return looksLikeText(first) ? { kind: 'text', type: 'text/plain' } : undefined
}

/**
 * The text that the bytes are, or undefined: valid UTF-8 without NUL and other control characters. `whole` is false
 * where bytes were cut off, perhaps within a character.
 */
export function textOf(bytes: Uint8Array, whole: boolean): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !whole })
    // eslint-disable-next-line no-control-regex -- control characters are what is being looked for
    return /[\u0000-\u0008\u000b\u000e-\u001a\u001c-\u001f\u007f]/.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

/** The usual file extension of a type that is shown in place, for files without a name. */
export function extensionOf(type: string): string {
  for (const [extension, known] of TYPE_BY_EXTENSION) if (known === type) return extension
  return ''
}

/** The kind that a content claims to be: `any` where nothing is claimed, `none` where it must not be shown. */
function claimedOf(type: string, name: string): Showing['kind'] | 'any' | 'none' {
  const extension = /\.([a-z0-9]{1,8})$/i.exec(name)?.[1]?.toLowerCase() ?? ''
  const byName = TYPE_BY_EXTENSION.get(extension)
  // Who calls a page "letter.html" and its type "text/plain" wants something that we do not.
  if (byName !== undefined && kindOf(byName) === 'none') return 'none'
  if (type !== '' && type !== 'application/octet-stream') return kindOf(type)
  return byName === undefined ? 'any' : kindOf(byName)
}

function kindOf(type: string): Showing['kind'] | 'none' {
  if (/^image\/(png|jpe?g|pjpeg|gif|webp|avif|apng)$/.test(type)) return 'image'
  if (/^audio\/(mpeg|mp3|mp4|x-m4a|m4a|aac|ogg|opus|wav|wave|x-wav|flac|x-flac|webm)$/.test(type))
    return 'audio'
  if (/^video\/(mp4|webm|ogg|x-m4v)$/.test(type)) return 'video'
  if (type === 'application/ogg') return 'audio'
  if (type === 'application/json') return 'text'
  if (/^text\/(?!html|xml|xsl|vnd|rtf|cache-manifest)/.test(type) && !/[+-]xml$/.test(type)) return 'text'
  return 'none'
}

/** Containers hold sound or film alike; which of them it is, only the claim says. */
function fits(claim: Showing['kind'], media: Showing): boolean {
  const container = /^(audio|video)\/(mp4|ogg|webm)$/.test(media.type)
  return claim === media.kind || (container && (claim === 'audio' || claim === 'video'))
}

function as(claim: Showing['kind'] | 'any', media: Showing): Showing {
  if (claim === 'any' || claim === 'text' || claim === media.kind) return media
  return { kind: claim, type: media.type.replace(/^[a-z]+/, claim) }
}

/** What the magic numbers say. */
function mediaOf(first: Uint8Array): Showing | undefined {
  const at = (offset: number, text: string): boolean =>
    first.length >= offset + text.length &&
    [...text].every((character, index) => first[offset + index] === character.charCodeAt(0))
  if (at(0, '\x89PNG\r\n\x1a\n')) return { kind: 'image', type: 'image/png' }
  if (at(0, '\xff\xd8\xff')) return { kind: 'image', type: 'image/jpeg' }
  if (at(0, 'GIF87a') || at(0, 'GIF89a')) return { kind: 'image', type: 'image/gif' }
  if (at(0, 'RIFF') && at(8, 'WEBP')) return { kind: 'image', type: 'image/webp' }
  if (at(0, 'RIFF') && at(8, 'WAVE')) return { kind: 'audio', type: 'audio/wav' }
  if (at(0, 'fLaC')) return { kind: 'audio', type: 'audio/flac' }
  if (at(0, 'OggS')) return { kind: 'audio', type: 'audio/ogg' }
  if (at(0, 'ID3') || isMpegAudio(first)) return { kind: 'audio', type: 'audio/mpeg' }
  if (at(4, 'ftyp')) return mp4Of(latin(first.subarray(8, 12)), first)
  if (at(0, '\x1aE\xdf\xa3') && latin(first.subarray(0, 64)).includes('webm')) {
    return { kind: 'video', type: 'video/webm' }
  }
  return undefined
}

/** The brands of ISO media files that browsers play or show. */
function mp4Of(brand: string, first: Uint8Array): Showing | undefined {
  const size = Math.min(64, ((first[2] ?? 0) << 8) | (first[3] ?? 0))
  const compatible = latin(first.subarray(16, size))
  if (/^avi[fs]$/.test(brand) || (/^mi[fa]1$/.test(brand) && compatible.includes('avif'))) {
    return { kind: 'image', type: 'image/avif' }
  }
  if (/^M4[AB] $/.test(brand)) return { kind: 'audio', type: 'audio/mp4' }
  return /^(iso.|mp4[12]|avc1|dash|M4V |cmf.|msdh)$/.test(brand)
    ? { kind: 'video', type: 'video/mp4' }
    : undefined
}

/** An MPEG-1/2 layer III frame header: eleven set bits, a version, the layer, and a bit rate that exists. */
function isMpegAudio(first: Uint8Array): boolean {
  const [sync = 0, version = 0, rate = 0] = first
  return (
    first.length >= 4 &&
    sync === 0xff &&
    (version & 0xe6) === 0xe2 &&
    (version & 0x18) !== 0x08 &&
    (rate & 0xf0) !== 0xf0 &&
    (rate & 0xf0) !== 0 &&
    (rate & 0x0c) !== 0x0c
  )
}

function looksLikeText(first: Uint8Array): boolean {
  const text = textOf(first.subarray(0, FIRST_BYTES), false)
  return text !== undefined && !MARKUP.test(text)
}

function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
