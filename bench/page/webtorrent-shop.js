// Pictures below the first viewport by WebTorrent, as a site would write it: one torrent of all of them, with the site as web seed,
// of which only those are asked for that come near; as blob URLs once they are there.
import WebTorrent from '/webtorrent.min.js'

/** As far below the viewport as browsers fetch pictures that are lazy, and Mayfly does. */
const NEAR_PX = 1_250

// The same ICE servers as everyone in a bench: none. Its own are beyond the network.
const client = new WebTorrent({ tracker: { rtcConfig: { iceServers: [] } }, dht: false, lsd: false })
client.on('error', error => reportError(error))
const wires = []
/** What a bench asks for: bytes that other visitors have brought so far. */
globalThis.fromPeers = () =>
  wires.reduce((sum, { type, downloaded }) => sum + (type === 'webrtc' ? downloaded : 0), 0)

const response = await fetch('pots.torrent')
const torrent = client.add(new Uint8Array(await response.arrayBuffer()), { deselect: true })
torrent.on('wire', wire => wires.push(wire))
torrent.on('ready', () => {
  // Else the torrent names it, and the site is asked at once, beside the others.
  if (globalThis.siteAfterMs !== undefined)
    setTimeout(() => torrent.addWebSeed(new URL('assets/', location.href).href), globalThis.siteAfterMs)
  const files = new Map(torrent.files.map(file => [file.name, file]))
  const near = new IntersectionObserver(
    entries => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue
        near.unobserve(target)
        void show(target, files.get(target.dataset.pot.split('/').at(-1)))
      }
    },
    { rootMargin: `${NEAR_PX}px` }
  )
  for (const image of document.querySelectorAll('img[data-pot]')) near.observe(image)
})

async function show(image, file) {
  const url = URL.createObjectURL(await file.blob())
  image.addEventListener('load', () => URL.revokeObjectURL(url), { once: true })
  image.src = url
}
