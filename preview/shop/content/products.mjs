import { Chance } from './chance.mjs'
import { KINDS } from './kinds.mjs'

/** How many products the shop has. */
export const PRODUCTS = 200

/** Every so many products one has a film. */
const FILM_EVERY = 25

const NAMES = [
  'Heron',
  'Reed',
  'Alder',
  'Sedge',
  'Pebble',
  'Kingfisher',
  'Delta',
  'Willow',
  'Otter',
  'Cove',
  'Marsh',
  'Ember',
  'Lantern',
  'Harbour',
  'Dune',
  'Estuary',
  'Fern',
  'Lichen',
  'Slate',
  'Tern',
  'Thistle',
  'Weir',
  'Wren',
  'Loam',
  'Barley'
]

const GLAZES = [
  ['celadon', [146, 184, 160]],
  ['cobalt', [42, 74, 150]],
  ['oxblood', [146, 42, 40]],
  ['ochre', [208, 146, 54]],
  ['chalk', [236, 230, 216]],
  ['ink', [44, 50, 62]],
  ['moss', [96, 114, 60]],
  ['rose', [214, 142, 134]],
  ['terracotta', [192, 98, 64]],
  ['lagoon', [44, 136, 142]],
  ['plum', [98, 58, 92]],
  ['sand', [214, 190, 152]],
  ['sky', [136, 176, 208]]
]

/** A wall above and a table below. */
const ROOMS = [
  [
    [222, 212, 196],
    [186, 160, 130]
  ],
  [
    [196, 206, 202],
    [150, 164, 158]
  ],
  [
    [226, 200, 184],
    [196, 150, 128]
  ],
  [
    [188, 198, 212],
    [142, 150, 170]
  ],
  [
    [214, 212, 190],
    [166, 160, 124]
  ],
  [
    [206, 192, 204],
    [160, 140, 158]
  ],
  [
    [74, 84, 88],
    [52, 58, 60]
  ],
  [
    [92, 76, 70],
    [66, 52, 48]
  ]
]

export const PATTERNS = ['plain', 'dipped', 'bands', 'fluted', 'dots', 'speckled', 'waves', 'ring']
export const BACKDROPS = ['plain', 'sun', 'arch']

const FINISHES = {
  plain: 'in one glaze',
  dipped: 'dipped twice',
  bands: 'banded on the wheel',
  fluted: 'cut with a wire while the clay was soft',
  dots: 'dotted by hand',
  speckled: 'from speckled stoneware',
  waves: 'with a line that goes up and down',
  ring: 'with a single brushed ring'
}

/** All products of the shop: what pages say about them, and the `scene` that their picture shows. */
export function allProducts() {
  return Array.from({ length: PRODUCTS }, (_, index) => productOf(index + 1))
}

/** The product with this number, counted from 1. */
export function productOf(number) {
  const chance = new Chance(number)
  const kind = KINDS[(number - 1) % KINDS.length]
  // Every name meets every kind once.
  const name = NAMES[(Math.floor((number - 1) / KINDS.length) * 7 + number * 3) % NAMES.length]
  const [glaze, color] = chance.oneOf(GLAZES)
  const [second, secondColor] = chance.oneOf(GLAZES.filter(([other]) => other !== glaze))
  const pattern = chance.oneOf(PATTERNS)
  const [wall, table] = chance.oneOf(ROOMS)
  const height = chance.between(...kind.sizes)
  const scene = {
    profile: stretched(chance.oneOf(kind.profiles), chance.between(0.9, 1.1)),
    open: kind.open,
    lid: kind.lid,
    handle: kind.handle,
    height,
    color,
    secondColor,
    pattern,
    turn: chance.between(0, 6),
    repeats: Math.round(chance.between(5, 14)),
    gloss: chance.between(0.08, 0.5),
    wall,
    table,
    backdrop: chance.oneOf(BACKDROPS),
    seed: number
  }
  const [least, most] = kind.price
  return {
    number,
    file: `${String(number).padStart(3, '0')}-${name.toLowerCase()}-${kind.noun}`,
    title: `${name} ${kind.noun}`,
    kind: kind.noun,
    price: Math.round(chance.between(least, most)),
    heightCm: Math.round(height * 42),
    about: aboutOf(kind.noun, { glaze, second, pattern }),
    glaze,
    hasFilm: number % FILM_EVERY === 1,
    scene
  }
}

function aboutOf(noun, { glaze, second, pattern }) {
  const article = /^[aeiou]/.test(glaze) ? 'An' : 'A'
  const glazes = pattern === 'plain' ? '' : `, with ${second}`
  return `${article} ${glaze} ${noun}${glazes}, ${FINISHES[pattern]}.`
}

function stretched(profile, factor) {
  return profile.map(([height, radius]) => [height, radius * factor])
}
