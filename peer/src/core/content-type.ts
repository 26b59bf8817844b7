/** MIME types of what pages load, by the ending of a path. HTML is not among them: it never travels by peers. */
export const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  svg: 'image/svg+xml',
  ico: 'image/x-icon',
  mp3: 'audio/mpeg',
  m4a: 'audio/mp4',
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  wav: 'audio/wav',
  flac: 'audio/flac',
  mp4: 'video/mp4',
  webm: 'video/webm',
  css: 'text/css',
  js: 'text/javascript',
  mjs: 'text/javascript',
  woff: 'font/woff',
  woff2: 'font/woff2',
  pdf: 'application/pdf',
  txt: 'text/plain',
  json: 'application/json'
}

/** The MIME type that the ending of a URL's path promises; `application/octet-stream` where it promises none. */
export function contentTypeOf(url: string, base: string): string {
  const path = URL.canParse(url, base) ? new URL(url, base).pathname : url
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ''
  return TYPES[ending] ?? 'application/octet-stream'
}
