// WebTorrent as its documentation has it: `seed`, a magnet link, `add`, `done`. Its own store (files of the origin private
// file system), or on the page `webtorrent-memory` its store in memory.
import MemoryChunkStore from 'memory-chunk-store'
import WebTorrent from 'webtorrent/dist/webtorrent.min.js'

const STORES = {
  '/webtorrent': {},
  '/webtorrent-memory': { store: MemoryChunkStore, storeCacheSlots: 0 }
}
const store = STORES[location.pathname]
let client
let announce

globalThis.contender = {
  open({ tracker }) {
    // The same ICE servers as the others: none. Its own are beyond the network of a bench.
    client = new WebTorrent({ tracker: { rtcConfig: { iceServers: [] } }, dht: false, lsd: false })
    announce = [tracker]
    // Errors of a page fail the bench; those of a client are events.
    client.on('error', error => reportError(error))
  },

  /** Gives the name under which others can fetch the bytes. */
  async seed(bytes) {
    const file = new File([bytes], 'content')
    const torrent = client.seed(file, { announce, ...store })
    const events = ['seed', 'trackerAnnounce']
    await Promise.all(events.map(event => new Promise(resolve => torrent.once(event, resolve))))
    return torrent.magnetURI
  },

  /** Settles when all bytes are verified and stored, with a function that gives them. */
  async fetch(magnet) {
    const torrent = client.add(magnet, { announce, ...store })
    await new Promise(resolve => torrent.once('done', resolve))
    return async () => new Uint8Array(await (await torrent.files[0].blob()).arrayBuffer())
  }
}
