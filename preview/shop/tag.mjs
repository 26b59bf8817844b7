/** Where the shop that is carried by its visitors stands. */
export const SHOP_PATH = '/shop/'

/**
 * A page with the script tag of these attributes at the end of its head: only who serves it knows its mediators. `loader` is the text of
 * a script that is written into the page.
 */
export function withTag(html, attributes, loader = '') {
  const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(value)}"`)
  return html.replace('</head>', () => `  <script${written.join('')}>${loader}</script>\n  </head>`)
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}
