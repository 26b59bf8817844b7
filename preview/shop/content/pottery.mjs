import { Profile } from './profile.mjs'

/** How far one looks from above: the height of an ellipse in parts of its width. */
const TILT = 0.17
/** Shades of the pieces are this far apart: nobody sees it, and a picture has half the bytes. */
const STEP = 4
/** From the upper left, in front. A unit vector: right, up, to the viewer. */
const LIGHT = [-0.52, 0.56, 0.645]
/** Half-way between light and viewer, for what shines. */
const HALF = [-0.287, 0.309, 0.907]
/** Where the table begins, in parts of the height. */
const HORIZON = 0.66
/** Where the piece stands. */
const GROUND = 0.87

/**
 * Draws a turned piece on a table. `scene` is as {@link file://./products.mjs} makes it. Gives three bytes for each pixel: red,
 * green, blue.
 */
export function drawPottery(scene, width, height) {
  const picture = { width, height, pixels: new Uint8Array(width * height * 3) }
  drawRoom(picture, scene)
  const profile = new Profile(scene.profile)
  const tall = scene.height * height
  const piece = { profile, tall, middle: width / 2, foot: GROUND * height }
  drawShadow(picture, piece)
  if (scene.handle !== undefined) drawHandle(picture, scene, piece)
  drawBody(picture, scene, piece)
  if (scene.open) drawOpening(picture, scene, piece)
  return picture
}

/** The wall and the table: each row has one colour, but for the backdrop. */
function drawRoom(picture, { wall, table, backdrop }) {
  const { width, height, pixels } = picture
  for (let y = 0; y < height; y++) {
    const down = y / height
    const isTable = down > HORIZON
    const light = isTable ? 0.9 + (0.26 * (down - HORIZON)) / (1 - HORIZON) : 1.06 - 0.16 * (down / HORIZON)
    const row = shaded(isTable ? table : wall, light)
    fillRow(pixels, row, 3 * y * width, 3 * width)
    if (!isTable && backdrop !== 'plain')
      drawBackdrop(picture, { backdrop, y, color: shaded(wall, light * 1.09) })
  }
}

/** Doubles what is there until the row is full. */
function fillRow(pixels, color, from, length) {
  pixels.set(color, from)
  for (let done = 3; done < length; done *= 2) {
    pixels.copyWithin(from + done, from, from + Math.min(done, length - done))
  }
}

/** One row of a round or arched light on the wall. */
function drawBackdrop(picture, { backdrop, y, color }) {
  const { width, height } = picture
  const radius = height * (backdrop === 'sun' ? 0.3 : 0.27)
  const middle = height * (backdrop === 'sun' ? 0.36 : 0.38)
  const isStraight = backdrop === 'arch' && y > middle
  const half = isStraight ? radius : Math.sqrt(Math.max(0, radius * radius - (y - middle) ** 2))
  const center = width * (backdrop === 'sun' ? 0.62 : 0.5)
  for (let x = Math.floor(center - half); x <= center + half; x++) {
    const cover = Math.min(1, half - Math.abs(x + 0.5 - center) + 0.5)
    if (cover > 0) blend(picture, y * width + x, color, cover)
  }
}

/** Soft, to the right of the piece, away from the light. */
function drawShadow(picture, { profile, tall, middle, foot }) {
  const radius = profile.radiusAt(0) * tall
  const [wide, flat] = [radius * 1.15 + tall * 0.2, radius * TILT * 1.3 + tall * 0.035]
  const center = middle + tall * 0.14
  for (let y = Math.floor(foot - flat); y <= Math.min(picture.height - 1, foot + flat); y++) {
    for (let x = Math.floor(center - wide); x <= center + wide; x++) {
      const distance = ((x - center) / wide) ** 2 + ((y - foot) / flat) ** 2
      if (distance >= 1) continue
      blend(picture, y * picture.width + x, [24, 20, 22], 0.5 * (1 - distance) ** 1.4)
    }
  }
}

function drawBody(picture, scene, piece) {
  const { profile, tall, middle, foot } = piece
  const reach = Math.ceil(profile.widest * tall)
  const from = Math.max(0, Math.floor(foot - tall))
  const to = Math.min(picture.height - 1, Math.ceil(foot + profile.radiusAt(0) * tall * TILT))
  for (let y = from; y <= to; y++) {
    for (let x = Math.floor(middle - reach); x <= middle + reach; x++) {
      const aside = x + 0.5 - middle
      const height = heightAt(piece, aside, foot - y - 0.5)
      const radius = profile.radiusAt(height) * tall
      const cover = Math.min(1, radius - Math.abs(aside) + 0.5, height * tall + 1)
      if (cover <= 0 || height > 1) continue
      blend(picture, y * picture.width + x, bodyColor(scene, piece, { aside: aside / radius, height }), cover)
    }
  }
}

/** The height on the piece that is seen there. The front of every circle is lower than its middle. */
function heightAt({ profile, tall }, aside, up) {
  let height = up / tall
  for (let round = 0; round < 3; round++) {
    const radius = profile.radiusAt(height) * tall
    height = (up + TILT * Math.sqrt(Math.max(0, radius * radius - aside * aside))) / tall
  }
  return height
}

function bodyColor(scene, { profile }, { aside, height }) {
  const across = Math.max(-1, Math.min(1, aside))
  const front = Math.sqrt(1 - across * across)
  const angle = Math.asin(across) + scene.turn
  const { color, dent } = glazeAt(scene, angle, height)
  const slope = profile.slopeAt(height)
  const long = Math.hypot(1, slope)
  const normal = [(across + dent * front) / long, -slope / long, (front - dent * across) / long]
  return lit(color, normal, scene.gloss)
}

/** Which glaze is there, and how much the surface leans aside. */
function glazeAt({ pattern, color, secondColor, repeats, lid, seed }, angle, height) {
  if (lid !== undefined && height > lid) return { color: secondColor, dent: 0 }
  if (pattern === 'fluted') return { color, dent: 0.34 * Math.sin(2 * repeats * angle) }
  const isSecond = IS_SECOND[pattern]?.(angle, height, repeats, seed) ?? false
  return { color: isSecond ? secondColor : color, dent: 0 }
}

const IS_SECOND = {
  dipped: (angle, height) => height > 0.52 + 0.03 * Math.sin(2 * angle) + 0.014 * Math.sin(5 * angle),
  bands: (_angle, height, repeats) => (height * repeats) % 1 < 0.4,
  dots(angle, height, repeats) {
    const row = Math.floor(height * repeats)
    const column = (angle / Math.PI) * repeats + (row % 2) / 2
    return Math.hypot((column % 1) - 0.5, ((height * repeats) % 1) - 0.5) < 0.26
  },
  speckled(angle, height, _repeats, seed) {
    const cell = [Math.floor(angle * 46), Math.floor(height * 88)]
    return ((Math.imul(cell[0] + seed, 73_856_093) ^ Math.imul(cell[1], 19_349_663)) >>> 4) % 11 === 0
  },
  waves: (angle, height, repeats) => Math.abs(height - 0.48 - 0.07 * Math.sin(repeats * angle * 0.6)) < 0.045,
  ring: (angle, height) =>
    Math.abs(height - 0.42 - 0.01 * Math.sin(3 * angle)) < 0.09 + 0.02 * Math.sin(9 * angle)
}

/** Half a ring beside the piece, its ends straight into it; what of them is behind the body is painted over. */
function drawHandle(picture, scene, { profile, tall, middle, foot }) {
  const { at, height, reach } = scene.handle
  const center = [middle + profile.radiusAt(at) * tall * 0.98, foot - at * tall]
  const [wide, high] = [reach * tall, height * tall]
  const thick = 0.052 * tall
  for (let y = Math.floor(center[1] - high - thick); y <= center[1] + high + thick; y++) {
    for (let x = Math.floor(middle); x <= center[0] + wide + thick; x++) {
      const [right, up] = [Math.max(0, x + 0.5 - center[0]) / wide, (center[1] - y - 0.5) / high]
      const far = Math.max(0.01, Math.hypot(right, up))
      // In pixels, along the way from the middle.
      const off = (far - 1) * Math.hypot((right / far) * wide, (up / far) * high)
      const cover = Math.min(1, thick - Math.abs(off) + 0.5)
      if (cover <= 0) continue
      const lean = Math.max(-1, Math.min(1, off / thick))
      const normal = [(lean * right) / far, (lean * up) / far, Math.sqrt(1 - lean * lean)]
      blend(picture, y * picture.width + x, lit(scene.color, normal, scene.gloss), cover)
    }
  }
}

/** The rim, and the inside below it. */
function drawOpening(picture, scene, { profile, tall, middle, foot }) {
  const radius = profile.radiusAt(1) * tall
  const rimColor = glazeAt(scene, scene.turn, 1).color
  const lip = Math.min(0.12, 7 / radius)
  const top = foot - tall
  for (let y = Math.floor(top - radius * TILT); y <= top + radius * TILT + 1; y++) {
    for (let x = Math.floor(middle - radius); x <= middle + radius; x++) {
      const [right, down] = [(x + 0.5 - middle) / radius, (y + 0.5 - top) / (radius * TILT)]
      const far = Math.hypot(right, down)
      const cover = Math.min(1, (1 - far) * radius * TILT * 1.6 + 0.5)
      if (cover <= 0) continue
      blend(picture, y * picture.width + x, insideColor(scene, { rimColor, right, down, far, lip }), cover)
    }
  }
}

function insideColor(scene, { rimColor, right, down, far, lip }) {
  if (far > 1 - lip) return shaded(rimColor, 1.12 - 0.2 * right)
  // The wall that faces the light is on the right; the far one is seen, the near one is not.
  const light = 0.3 + 0.26 * Math.max(0, right) + 0.2 * Math.max(0, -down) * (1 - far * 0.4)
  return shaded(scene.secondColor, light)
}

/** A colour under the light. */
function lit(color, [right, up, front], gloss) {
  const shade = Math.max(0, right * LIGHT[0] + up * LIGHT[1] + front * LIGHT[2])
  const bounce = 0.1 * Math.max(0, right) + 0.06 * Math.max(0, -up)
  const shine = gloss * 255 * Math.max(0, right * HALF[0] + up * HALF[1] + front * HALF[2]) ** 42
  const light = 0.3 + 0.84 * shade + bounce
  return color.map(part => STEP * Math.round((part * light + shine) / STEP))
}

function shaded(color, light) {
  return color.map(part => Math.min(255, part * light))
}

/** `pixel`: counted row by row. Pieces and shadows are always inside of the picture. */
function blend({ pixels }, pixel, color, cover) {
  const at = 3 * pixel
  for (let part = 0; part < 3; part++) {
    const wanted = Math.min(255, color[part])
    pixels[at + part] = Math.round(pixels[at + part] * (1 - cover) + wanted * cover)
  }
}
