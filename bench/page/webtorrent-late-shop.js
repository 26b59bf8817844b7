// The same page, built to cost as little as it can: WebTorrent is fetched after the page's load, so that it takes nothing from the first
// viewport, and the site is a web seed only after visitors had a second for what they have.
globalThis.siteAfterMs = 1_000
addEventListener('load', () => void import('/webtorrent-shop.js'))
