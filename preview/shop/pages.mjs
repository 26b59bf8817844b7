import { FILM } from './content/film.mjs'

const SHOP = 'Waterside Pottery'
/** Products on one page of the list. */
export const PER_PAGE = 50
/** As many pictures of a list are fetched at once; the others when they come near. */
const EAGER = 8
/** Other products that a product's page shows. */
const RELATED = 8
/** How wide a picture of a list is: four, three or two beside each other, as the style has it. */
const LIST_SIZES =
  '(min-width: 78rem) 18rem, (min-width: 74.25rem) calc(25vw - 1.56rem), (min-width: 56rem) calc(33.3vw - 1.67rem), calc(50vw - 1.88rem)'
/** How wide the picture of a product's own page is: three fifths of it, or all on a narrow screen. */
const PRODUCT_SIZES =
  '(min-width: 78rem) 44rem, (min-width: 46rem) calc(60vw - 2.82rem), calc(100vw - 2.5rem)'
/** In a list four beside each other, where the smaller of two files is enough. */
const WIDE = '(min-width: 74.25rem)'

/**
 * All pages of the shop: path of the file → HTML. They are plain pages that know nothing of Mayfly, and work without JavaScript.
 * Their links are relative, so that the shop can stand in any folder. `archiveBytes` is the length of the catalogue.
 */
export function allPages(products, archiveBytes) {
  const count = Math.ceil(products.length / PER_PAGE)
  const site = { count, archiveBytes, total: products.length }
  const pages = new Map()
  for (let number = 1; number <= count; number++) {
    const shown = products.slice((number - 1) * PER_PAGE, number * PER_PAGE)
    pages.set(number === 1 ? 'index.html' : `${number}.html`, listPage(shown, { ...site, number }))
  }
  pages.set('all.html', listPage(products, { ...site, number: 'all' }))
  for (const product of products) {
    const others = products.filter(({ kind }) => kind === product.kind)
    const at = others.indexOf(product)
    const related = Array.from({ length: RELATED }, (_, index) => others[(at + 1 + index) % others.length])
    pages.set(`product/${product.number}.html`, productPage(product, related, site))
  }
  return pages
}

function listPage(products, site) {
  const { number, count, total } = site
  const isFirst = number === 1
  const title =
    number === 'all' ? `All ${total} pots` : isFirst ? 'Pots for the table' : `Page ${number} of ${count}`
  const lead = `${total} pots, thrown and glazed by hand. Each is one of a kind, and none of them is real.`
  const main = `<h1>${title}</h1>
      <p class="lead">${lead}</p>
      <ul class="pots">
${products.map((product, index) => card(product, { root: '', isEager: index < EAGER })).join('\n')}
      </ul>
      ${pageLinks(number, count)}`
  return frame(main, { ...site, root: '', title: isFirst ? SHOP : `${title} · ${SHOP}` })
}

function productPage(product, related, site) {
  const { number, title, about, price, heightCm, kind, glaze, hasFilm } = product
  const root = '../'
  const film = `
      <section aria-labelledby="film-title">
        <h2 id="film-title">How it is made</h2>
        <div class="shown film">
          <video controls playsinline muted preload="none" width="${FILM.width}" height="${FILM.height}" poster="${root}assets/film/wheel.png" src="${root}assets/film/wheel.mp4" aria-label="A lump of clay becomes a vase on the wheel; no sound"></video>
        </div>
      </section>`
  const main = `<article class="pot">
        <div class="shown">
          ${picture(product, { root, isEager: true, sizes: PRODUCT_SIZES })}
        </div>
        <div class="facts">
          <h1>${title}</h1>
          <p class="lead">${about}</p>
          <p class="price">${price} €</p>
          <dl>
            <div><dt>Kind</dt><dd>${kind}</dd></div>
            <div><dt>Glaze</dt><dd>${glaze}</dd></div>
            <div><dt>Height</dt><dd>${heightCm} cm</dd></div>
            <div><dt>Number</dt><dd>${number}</dd></div>
          </dl>
        </div>
      </article>${hasFilm ? film : ''}
      <section aria-labelledby="related-title">
        <h2 id="related-title">Other ${kind}s</h2>
        <ul class="pots">
${related.map(other => card(other, { root, isEager: false })).join('\n')}
        </ul>
      </section>`
  return frame(main, { ...site, root, title: `${title} · ${SHOP}` })
}

function card(product, { root, isEager }) {
  return `        <li>
          <a href="${root}product/${product.number}">
            <div class="shown">${picture(product, { root, isEager, sizes: LIST_SIZES })}</div>
            <span class="name">${product.title}</span>
            <span class="price">${product.price} €</span>
          </a>
        </li>`
}

/** Whether its picture is there in half the width too. */
export function hasTwoWidths({ number }) {
  return number % 2 === 0
}

/**
 * Every second picture has two widths to choose from, as shops do it: by the width that the picture has in the page or, one of
 * four of these, by the width of the window and the density of the screen.
 */
function picture(product, { root, isEager, sizes }) {
  const { number, file, about } = product
  const [half, full] = [`${root}assets/pots/${file}-320.png`, `${root}assets/pots/${file}.png`]
  const loading = isEager ? '' : ' loading="lazy"'
  const image = `width="640" height="480"${loading} alt="${about}"`
  if (!hasTwoWidths(product)) return `<img src="${full}" ${image}>`
  if (number % 8 !== 4)
    return `<img src="${full}" srcset="${half} 320w, ${full} 640w" sizes="${sizes}" ${image}>`
  if (sizes === LIST_SIZES)
    return `<picture><source media="${WIDE}" srcset="${half}, ${full} 2x"><img src="${full}" ${image}></picture>`
  const source = `<source media="(min-width: 46rem)" srcset="${full}">`
  return `<picture>${source}<img src="${full}" srcset="${half} 320w, ${full} 640w" sizes="${sizes}" ${image}></picture>`
}

/** From page to page of the list. */
function pageLinks(current, count) {
  const links = Array.from({ length: count }, (_, index) => {
    const number = index + 1
    const here = number === current ? ' aria-current="page"' : ''
    return `<li><a href="${number === 1 ? './' : number}"${here}>${number}</a></li>`
  })
  const here = current === 'all' ? ' aria-current="page"' : ''
  return `<nav aria-label="Pages of the list">
        <ul class="pages">${links.join('')}<li><a href="all"${here}>all</a></li></ul>
      </nav>`
}

/** What all pages have. */
function frame(main, { root, title, archiveBytes, total }) {
  const megabytes = (archiveBytes / 1e6).toFixed(1)
  const home = root === '' ? './' : root
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title}</title>
    <meta name="description" content="A shop for trying Mayfly: ${total} products and their pictures, a font, a film and a download.">
    <link rel="icon" href="/icon.svg">
    <link rel="preload" href="${root}assets/fonts/dm-serif-display.woff2" as="font" type="font/woff2" crossorigin>
    <link rel="stylesheet" href="${root}assets/shop.css">
    <script src="${root}assets/shop.js" defer></script>
  </head>
  <body>
    <a class="skip" href="#content">To the content</a>
    <header>
      <a class="brand" href="${home}">${SHOP}</a>
      <nav aria-label="Shop">
        <a href="${home}">Pots</a>
        <a href="${root}all">All ${total}</a>
        <a href="${root}product/1">A film</a>
      </nav>
    </header>
    <main id="content">
      ${main}
    </main>
    <footer>
      <p>
        <a href="${root}assets/catalogue.zip" download data-bytes="${archiveBytes}">The catalogue</a>
        <span class="hint">ZIP, ${megabytes} MB: pictures and prices</span>
      </p>
      <p>
        A shop for trying Mayfly, twice the same:
        <a href="/shop/">carried by its visitors</a>, and <a href="/plain-shop/">from the site alone</a>.
        <a href="/">About Mayfly</a>
      </p>
    </footer>
    <aside id="sources" aria-labelledby="sources-title" hidden></aside>
  </body>
</html>
`
}
