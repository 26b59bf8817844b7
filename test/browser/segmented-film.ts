import { execFileSync } from 'node:child_process'
import { cp, copyFile, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const require = createRequire(import.meta.url)

/** A page for each player, with the tag nowhere yet: what it loads, and how it begins to play `media` in `#film`. */
const PLAYERS = {
  hls: {
    scripts: { 'hls.js': 'hls.js/dist/hls.min.js' },
    media: 'ts/master.m3u8',
    begin: `const hls = new Hls(); hls.loadSource(media); hls.attachMedia(film)`
  },
  shaka: {
    scripts: { 'shaka.js': 'shaka-player/dist/shaka-player.compiled.js' },
    media: 'cmaf/manifest.mpd',
    begin: `const shown = new shaka.Player(); shown.attach(film).then(() => shown.load(media))`
  },
  videojs: {
    scripts: { 'video.js': 'video.js/dist/video.min.js' },
    media: 'cmaf/master.m3u8',
    begin: `videojs(film, { html5: { vhs: { overrideNative: true } } }).src({ src: media, type: 'application/x-mpegURL' })`
  }
} as const

export type PlayerName = keyof typeof PLAYERS
export const PLAYER_NAMES = Object.keys(PLAYERS) as PlayerName[]

const VIDEO = [700, 400, 200].flatMap((rate, i) => [
  `-b:v:${i}`,
  `${rate}k`,
  `-maxrate:v:${i}`,
  `${rate}k`,
  `-bufsize:v:${i}`,
  `${2 * rate}k`
])

/**
 * A folder with one film of so many seconds in segments of 4 s, in three renditions, twice: `ts` for HLS, and `cmaf` (`.m4s`) for
 * HLS and DASH. It is made once and kept. Undefined: there is no ffmpeg.
 */
export async function segmentedFilm(seconds: number): Promise<string | undefined> {
  const folder = join(tmpdir(), `mayfly-segmented-film-${seconds}`)
  if (await isThere(folder)) return folder
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  const making = await mkdtemp(`${folder}-`)
  const ffmpeg = (...args: string[]): unknown =>
    execFileSync('ffmpeg', ['-loglevel', 'error', '-y', ...args], { cwd: making })
  // Noise, so that every bit is needed.
  ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25', '-f', 'lavfi', '-i', 'sine=frequency=440'],
    ...['-t', `${seconds}`, '-filter_complex'],
    '[0:v]noise=alls=20:allf=t,split=3[a][b0][c0];[b0]scale=426:240[b];[c0]scale=320:180[c]',
    ...[
      '-map',
      '[a]',
      '-map',
      '[b]',
      '-map',
      '[c]',
      '-map',
      '1:a',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast'
    ],
    ...['-pix_fmt', 'yuv420p', '-g', '100', '-keyint_min', '100', '-sc_threshold', '0', ...VIDEO],
    ...['-c:a', 'aac', '-b:a', '32k', 'source.mp4']
  )
  for (const one of ['ts', 'cmaf']) await mkdir(join(making, one))
  ffmpeg(
    ...['-i', 'source.mp4', ...['0', '1', '2'].flatMap(i => ['-map', `0:v:${i}`, '-map', '0:a'])],
    ...['-c', 'copy', '-f', 'hls', '-hls_time', '4', '-hls_playlist_type', 'vod'],
    ...['-hls_segment_filename', 'ts/%v/%03d.ts', '-master_pl_name', 'master.m3u8'],
    ...['-var_stream_map', 'v:0,a:0 v:1,a:1 v:2,a:2', 'ts/%v/index.m3u8']
  )
  ffmpeg(
    ...['-i', 'source.mp4', '-map', '0', '-c', 'copy', '-f', 'dash', '-seg_duration', '4'],
    ...['-use_template', '1', '-use_timeline', '0', '-hls_playlist', '1'],
    ...['-adaptation_sets', 'id=0,streams=v id=1,streams=a', 'cmaf/manifest.mpd']
  )
  await rm(join(making, 'source.mp4'))
  await rename(making, folder).catch(() => rm(making, { recursive: true }))
  return folder
}

/** Puts the film and a page for each player into a folder: `hls.html`, `shaka.html` and `videojs.html`. */
export async function filmPages(film: string, folder: string): Promise<void> {
  await cp(film, folder, { recursive: true })
  for (const name of PLAYER_NAMES) await playerPage(name, folder)
}

/**
 * Puts a silent song of so many segments of 4 s (`.mp3`) into a folder, with a page `hls.html` that plays it. `bytesOf` gives what
 * fills a segment where a song would have its sound. It needs no ffmpeg.
 */
export async function segmentedSong(
  segments: number,
  folder: string,
  bytesOf: (segment: number, length: number) => Uint8Array
): Promise<void> {
  const names = Array.from({ length: segments }, (_, i) => `${i}`.padStart(3, '0') + '.mp3')
  await mkdir(join(folder, 'song'))
  for (const [i, name] of names.entries()) {
    const segment = bytesOf(i, SONG_FRAMES * SONG_FRAME.bytes)
    // Of each frame its header, and that it has no sound: what follows is for whoever made it.
    for (let at = 0; at < segment.length; at += SONG_FRAME.bytes)
      segment.set([...SONG_FRAME.header, ...SILENCE], at)
    await writeFile(join(folder, 'song', name), segment)
  }
  const seconds = (SONG_FRAMES * 1_152) / 44_100
  const list = names.map(name => `#EXTINF:${seconds.toFixed(5)},\n${name}\n`).join('')
  const head = `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n`
  await writeFile(join(folder, 'song', 'index.m3u8'), `${head}${list}#EXT-X-ENDLIST\n`)
  await playerPage('hls', folder, 'song/index.m3u8')
}

/** MPEG-1 Layer III, 128 kbit/s, 44.1 kHz; so many frames are 4 s. */
const SONG_FRAME = { bytes: 417, header: [0xff, 0xfb, 0x90, 0x00] }
const SONG_FRAMES = 153
const SILENCE = new Uint8Array(32)

async function playerPage(
  name: PlayerName,
  folder: string,
  media: string = PLAYERS[name].media
): Promise<void> {
  const { scripts, begin } = PLAYERS[name]
  for (const [as, from] of Object.entries(scripts)) await copyFile(require.resolve(from), join(folder, as))
  const tags = Object.keys(scripts).map(script => `<script src="${script}"></script>`)
  const page = `<!doctype html>
<html><head><meta charset="utf-8"><title>${name}</title>${tags.join('')}</head>
<body><video id="film" muted playsinline width="320" height="180"></video>
<script>
  function begin() {
    const film = document.getElementById('film')
    const media = new URL('${media}', location.href).href
    ${begin}
  }
</script></body></html>`
  await writeFile(join(folder, `${name}.html`), page)
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false
  )
}
