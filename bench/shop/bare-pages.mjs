import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { answerWithText } from '../../preview/server/static-answer.mjs'
import { SHOP_PATH, withTag } from '../../preview/shop/tag.mjs'

const LOADER = fileURLToPath(new URL('../../peer/dist/bundle/mayfly.js', import.meta.url))
const STYLE = 'body{margin:2rem;font:1rem sans-serif}img{display:block;width:60rem;height:auto}'
/** One page with one picture, and nothing else that its first paint could wait for. */
const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>One pot</title>
    <link rel="icon" href="data:,">
    <style>${STYLE}</style>
  </head>
  <body>
    <h1>One pot</h1>
    <img src="assets/pots/001-sedge-vase.png" width="640" height="480" alt="A vase">
  </body>
</html>
`

/**
 * A page with one picture at `/plain-shop/bare` without Mayfly, at `/shop/bare` with it, and at `/shop/bare-inline` with the loader
 * written into the page. Gives what answers a request, and says with `false` that a path is none of them.
 */
export function barePages(mediators) {
  const loader = readFileSync(LOADER, 'utf8').trim()
  const attributes = {
    'data-mediators': mediators.join(' '),
    'data-manifest': `${SHOP_PATH}mayfly-manifest.json`,
    'data-worker': `${SHOP_PATH}mayfly-worker.js`
  }
  const pages = {
    '/plain-shop/bare': PAGE,
    '/shop/bare': withTag(PAGE, { src: '/mayfly.js', ...attributes }),
    '/shop/bare-inline': withTag(PAGE, { 'data-from': '/mayfly.js', ...attributes }, loader)
  }
  const policy = [
    "default-src 'self'",
    `script-src 'self' '${hashOf(loader)}'`,
    `style-src '${hashOf(STYLE)}'`,
    "img-src 'self' blob: data:",
    "connect-src 'self' ws:"
  ].join('; ')
  return (request, response, path) => {
    if (!Object.hasOwn(pages, path)) return false
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    response.setHeader('Cache-Control', 'no-cache')
    response.setHeader('Content-Security-Policy', policy)
    answerWithText(request, response, pages[path])
    return true
  }
}

function hashOf(text) {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
