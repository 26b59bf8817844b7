import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FullHashBuilder } from '../../common/src/index.js'
import { nodeHasher } from '../../peer/src/adapters/node-hasher.js'
import type * as Mayfly from '../../peer/src/page/index.js'

const PHOTO = readFileSync(new URL('fixtures/photo.jpg', import.meta.url))
const BUNDLE = readFileSync(new URL('../../peer/dist/bundle/mayfly-library.js', import.meta.url))

/** A site with one picture, and how often it was asked for that. */
export class Site {
  asked = 0
  base!: string
  #server!: Server

  /** The full hash of the picture. */
  static async fullHash(): Promise<string> {
    const builder = new FullHashBuilder(nodeHasher)
    await builder.update(new Uint8Array(PHOTO))
    return (await builder.finish()).fullHash
  }

  async start(): Promise<this> {
    this.#server = createServer(({ url }, response) => {
      if (url === '/mayfly-library.js') response.setHeader('content-type', 'text/javascript').end(BUNDLE)
      else if (url === '/photo.jpg') {
        this.asked++
        response.setHeader('cache-control', 'max-age=600').setHeader('content-type', 'image/jpeg').end(PHOTO)
      } else if (url === '/') {
        response.setHeader('content-type', 'text/html')
        response.end(
          '<!doctype html><title>site</title><img id="photo" alt="a photo"><script src="/mayfly-library.js"></script>'
        )
      } else response.writeHead(404).end()
    })
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    this.base = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
    return this
  }

  close(): void {
    this.#server.close()
  }
}

export interface Shown {
  readonly source: string
  readonly attribute: string | null
  readonly width: number
}

/** Runs in a page of the site: shows the picture and tells from where it came. */
export async function showPicture([mediator, fullHash, options]: readonly [
  mediator: string,
  fullHash: string,
  options: { readonly originAfterMs?: number }
]): Promise<Shown> {
  const { mayfly } = globalThis as unknown as { mayfly: typeof Mayfly }
  mayfly.connect(mediator)
  const image = document.querySelector('img')!
  const shown = new Promise(resolve => (image.onload = resolve))
  const source = await mayfly.load(fullHash, image, { url: '/photo.jpg', ...options })
  await shown
  return { source, attribute: image.getAttribute('data-mayfly-source'), width: image.naturalWidth }
}
