import { fromHex, toHex, type PeerId } from '@mayfly/common'
import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { KBucketTable } from '../../src/adapters/k-bucket-table.js'
import { webHasher } from '../../src/adapters/web-hasher.js'

const PEER_ID = '5'.repeat(40) as PeerId

describe('the table of mediators', () => {
  it('orders by XOR distance between SHA-256 of the URL and the peer id', () => {
    const urls = Array.from({ length: 50 }, (_, i) => `wss://mediator${i}.example/`)
    const table = new KBucketTable(PEER_ID, webHasher())
    for (const url of urls) table.add(url)
    const distance = (url: string): string => {
      const key = createHash('sha256').update(url).digest().subarray(0, 20)
      return toHex(fromHex(PEER_ID).map((byte, i) => byte ^ (key[i] ?? 0)))
    }
    const expected = urls.sort((a, b) => (distance(a) < distance(b) ? -1 : 1))
    expect(table.nearest()).to.deep.equal(expected)
  })

  it('orders rightly what agrees in more bits than a double has', () => {
    const ids = ['1', '2', '3'].map(last => fromHex(`${'5'.repeat(39)}${last}`))
    const keys = new Map(ids.map((id, i) => [`ws://${i}`, id]))
    const table = new KBucketTable(PEER_ID, {
      node: bytes =>
        Uint8Array.of(...(keys.get(new TextDecoder().decode(bytes)) ?? []), ...new Uint8Array(12))
    })
    for (const url of keys.keys()) table.add(url)
    // 5 ^ 1 = 4, 5 ^ 2 = 7, 5 ^ 3 = 6
    expect(table.nearest()).to.deep.equal(['ws://0', 'ws://2', 'ws://1'])
  })

  it('holds each once, and forgets', () => {
    const table = new KBucketTable(PEER_ID, webHasher())
    for (const url of ['ws://a', 'ws://a', 'ws://b']) table.add(url)
    table.remove('ws://a')
    table.remove('ws://unknown')
    expect(table.nearest()).to.deep.equal(['ws://b'])
  })
})
