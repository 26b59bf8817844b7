/** Where the shop that is carried by its visitors stands. */
export const SHOP_PATH = '/shop/'

/** A page with the script tag of these attributes at the end of its head: only who serves it knows its mediators. */
export function withTag(html, attributes) {
  const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(value)}"`)
  return html.replace('</head>', () => `  <script${written.join('')}></script>\n  </head>`)
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}
