import { H264Encoder } from './h264.mjs'
import { encodeMp4 } from './mp4.mjs'
import { drawPottery } from './pottery.mjs'
import { pointsOf } from './profile.mjs'

const WIDTH = 640
const HEIGHT = 360
const FRAMES_PER_SECOND = 12
const SECONDS = 10
/** One can seek to every so many pictures. */
const KEY_EVERY = 36
/** How far the wheel turns from one picture to the next, in radians. */
const TURN = 0.21

/** From a lump of clay to a vase. All profiles have points at the same heights. */
const STAGES = [
  { tall: 0.3, profile: '0 0.52, 0.12 0.6, 0.5 0.58, 0.85 0.34, 1 0.16' },
  { tall: 0.34, profile: '0 0.5, 0.12 0.54, 0.5 0.56, 0.85 0.5, 1 0.44' },
  { tall: 0.52, profile: '0 0.3, 0.12 0.32, 0.5 0.33, 0.85 0.3, 1 0.28' },
  { tall: 0.64, profile: '0 0.22, 0.12 0.26, 0.5 0.36, 0.85 0.2, 1 0.2' },
  { tall: 0.7, profile: '0 0.18, 0.12 0.22, 0.5 0.33, 0.85 0.11, 1 0.17' },
  { tall: 0.7, profile: '0 0.18, 0.12 0.22, 0.5 0.33, 0.85 0.11, 1 0.17' }
].map(({ tall, profile }) => ({ tall, profile: pointsOf(profile) }))

export const FILM = { width: WIDTH, height: HEIGHT, seconds: SECONDS }

/** A film without sound: a vase is thrown on a wheel. An MP4 of some 6 MB. */
export function encodeFilm() {
  const encoder = new H264Encoder({ width: WIDTH, height: HEIGHT })
  const samples = Array.from({ length: SECONDS * FRAMES_PER_SECOND }, (_, index) => {
    const isKey = index % KEY_EVERY === 0
    return { unit: encoder.encode(filmPicture(index), isKey), isKey }
  })
  const { sequence, picture } = encoder
  return encodeMp4({
    width: WIDTH,
    height: HEIGHT,
    framesPerSecond: FRAMES_PER_SECOND,
    sequence,
    picture,
    samples
  })
}

/** What one sees before it plays. */
export function filmPoster() {
  return filmPicture(SECONDS * FRAMES_PER_SECOND - 1)
}

function filmPicture(index) {
  const part = (index / (SECONDS * FRAMES_PER_SECOND - 1)) * (STAGES.length - 1)
  const from = STAGES[Math.floor(part)]
  const to = STAGES[Math.min(STAGES.length - 1, Math.floor(part) + 1)]
  const rest = part % 1
  const way = rest * rest * (3 - 2 * rest)
  const scene = {
    profile: from.profile.map(([height, radius], at) => [height, mixed(radius, to.profile[at][1], way)]),
    open: part > 0.6,
    height: mixed(from.tall, to.tall, way),
    color: [186, 104, 74],
    secondColor: [150, 80, 58],
    pattern: 'fluted',
    repeats: 3,
    turn: index * TURN,
    gloss: 0.3,
    wall: [206, 198, 184],
    table: [124, 110, 98],
    backdrop: 'arch'
  }
  return drawPottery(scene, WIDTH, HEIGHT)
}

function mixed(from, to, way) {
  return from + (to - from) * way
}
