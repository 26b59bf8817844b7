// Makes the test site: preview/dist/shop/. Called by scripts/compile.mjs; does nothing where its sources are the same as last time.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { encodeFilm, filmPoster } from './content/film.mjs'
import { encodePng } from './content/png.mjs'
import { drawPottery } from './content/pottery.mjs'
import { allProducts } from './content/products.mjs'
import { encodeZip } from './content/zip.mjs'
import { allPages, hasTwoWidths } from './pages.mjs'
import { SHOP_PATH } from './tag.mjs'

const SOURCES = fileURLToPath(new URL('.', import.meta.url))
const WIDTH = 640
const HEIGHT = 480

/** The command line of the library, as it is compiled. */
const MAYFLY = fileURLToPath(new URL('../../peer/bin/mayfly.mjs', import.meta.url))

/** Where the shop is: `site/` is what a web server serves, with the lists of what its pages show, `carried/` its pages with full hashes, of `manifest.json` and its sections. */
const SHOP_FOLDER = fileURLToPath(new URL('../dist/shop/', import.meta.url))

/** Writes the whole shop into this folder. */
export function buildShop(folder) {
  const site = join(folder, 'site')
  rmSync(folder, { recursive: true, force: true })
  const put = (path, content) => {
    mkdirSync(dirname(join(site, path)), { recursive: true })
    writeFileSync(join(site, path), content)
  }
  cpSync(join(SOURCES, 'site'), join(site, 'assets'), { recursive: true })
  const products = allProducts()
  const pictures = products.map(({ file, scene }) => {
    return { name: `${file}.png`, bytes: encodePng(drawPottery(scene, WIDTH, HEIGHT)) }
  })
  for (const { name, bytes } of pictures) put(`assets/pots/${name}`, bytes)
  for (const { file, scene } of products.filter(hasTwoWidths))
    put(`assets/pots/${file}-320.png`, encodePng(drawPottery(scene, WIDTH / 2, HEIGHT / 2)))
  put('assets/film/wheel.mp4', encodeFilm())
  put('assets/film/wheel.png', encodePng(filmPoster()))
  const archive = encodeZip([priceList(products), ...pictures])
  put('assets/catalogue.zip', archive)
  const carried = join(folder, 'carried')
  for (const [path, html] of allPages(products, archive.length)) {
    put(path, html)
    put(join('..', 'carried', path), html)
  }
  const manifest = join(folder, 'manifest.json')
  mayfly(['manifest', site, '--base-url', SHOP_PATH, '--pages', '-o', manifest])
  mayfly(['rewrite', carried, '--base-url', SHOP_PATH, '--manifest', manifest])
}

function mayfly(args) {
  const { status, stderr } = spawnSync(process.execPath, [MAYFLY, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`mayfly ${args[0]} failed: ${stderr}`)
}

function priceList(products) {
  const rows = products.map(({ number, title, price, about }) => `${number},${title},${price},"${about}"`)
  return { name: 'prices.csv', bytes: Buffer.from(['number,name,euros,about', ...rows, ''].join('\n')) }
}

/** Of all that decides about the shop's bytes. */
function digestOfSources() {
  const digest = createHash('sha256')
  const paths = readdirSync(SOURCES, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
  for (const path of paths.sort((a, b) => (a < b ? -1 : 1)))
    digest.update(relative(SOURCES, path)).update(readFileSync(path))
  return digest.digest('hex')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const stamp = join(SHOP_FOLDER, 'stamp')
  const digest = digestOfSources()
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest) {
    buildShop(SHOP_FOLDER)
    writeFileSync(stamp, digest)
  }
}
