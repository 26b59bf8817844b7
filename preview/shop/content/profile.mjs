/** Rows of a profile's table: more than a picture has. */
const STEPS = 1024

/**
 * The radius of a turned piece at every height, and how fast it grows there. `points`: pairs of height and radius from the
 * foot (0) to the rim (1). Between them the curve is smooth and overshoots nothing.
 */
export class Profile {
  #radii = new Float32Array(STEPS + 1)
  #slopes = new Float32Array(STEPS + 1)

  constructor(points) {
    const tangents = points.map((_, index) => tangentAt(points, index))
    let segment = 0
    for (let step = 0; step <= STEPS; step++) {
      const height = step / STEPS
      while (segment < points.length - 2 && height > points[segment + 1][0]) segment++
      this.#radii[step] = hermite(points, tangents, segment, height)
    }
    for (let step = 0; step <= STEPS; step++) {
      const [below, above] = [Math.max(0, step - 4), Math.min(STEPS, step + 4)]
      this.#slopes[step] = ((this.#radii[above] - this.#radii[below]) * STEPS) / (above - below)
    }
  }

  get widest() {
    return this.#radii.reduce((most, radius) => Math.max(most, radius), 0)
  }

  radiusAt(height) {
    return this.#radii[stepOf(height)]
  }

  slopeAt(height) {
    return this.#slopes[stepOf(height)]
  }
}

/** Points of a profile from a text: "0 0.2, 1 0.3" is a foot with radius 0.2 and a rim with 0.3, in parts of the height. */
export function pointsOf(text) {
  return text.split(', ').map(point => point.split(' ').map(Number))
}

function stepOf(height) {
  return Math.max(0, Math.min(STEPS, Math.round(height * STEPS)))
}

/** None at a turning point, so that the curve stays between its points. */
function tangentAt(points, index) {
  const [before, here, after] = [points[index - 1], points[index], points[index + 1]]
  if (before === undefined || after === undefined) return 0
  const left = (here[1] - before[1]) / (here[0] - before[0])
  const right = (after[1] - here[1]) / (after[0] - here[0])
  return left * right <= 0 ? 0 : (2 * left * right) / (left + right)
}

function hermite(points, tangents, segment, height) {
  const [[from, low], [to, high]] = [points[segment], points[segment + 1]]
  const width = to - from
  const s = Math.min(1, (height - from) / width)
  const rest = 1 - s
  return (
    (1 + 2 * s) * rest * rest * low +
    s * s * (3 - 2 * s) * high +
    width * s * rest * (rest * tangents[segment] - s * tangents[segment + 1])
  )
}
