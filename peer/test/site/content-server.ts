import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LongContent } from './long-content.js'

/** How a site answers requests for one content; its sidecar is at the same address with `.mayfly`. */
export interface ContentServer {
  readonly url: string
  readonly sidecar: string
  /** Ranges as they were asked for, in their order; empty where there was none. */
  readonly ranges: string[]
  /** Requests that were closed before they were answered whole. */
  broken: number
  /** `whole`: knows no ranges. `shifted`: another range than the one asked for. `short`: ends too soon. */
  mode: 'ranges' | 'whole' | 'shifted' | 'short' | 'missing' | 'wrong' | 'slow'
  sidecarMode: 'right' | 'missing' | 'wrong' | 'endless'
  close(): void
}

export async function serveContent({ bytes, sidecar }: LongContent): Promise<ContentServer> {
  const open = new Set<ServerResponse>()
  const server = createServer(({ url, headers }, response) => {
    open.add(response)
    response.on('close', () => {
      open.delete(response)
      if (!response.writableFinished) served.broken++
    })
    if (url?.endsWith('.mayfly')) answerSidecar(response)
    else answer(response, headers.range ?? '')
  })
  const answerSidecar = (response: ServerResponse): void => {
    const wrong = sidecar.slice()
    wrong[20]! ^= 1
    if (served.sidecarMode === 'missing') response.writeHead(404).end()
    else if (served.sidecarMode === 'endless') {
      response.writeHead(200)
      const more = (): void => {
        while (!response.destroyed && response.write(new Uint8Array(65_536)));
      }
      response.on('drain', more)
      more()
    } else response.end(served.sidecarMode === 'wrong' ? wrong : sidecar)
  }
  const answer = (response: ServerResponse, range: string): void => {
    const { mode } = served
    served.ranges.push(range)
    const [, first = '0', last = ''] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? []
    const shift = mode === 'shifted' ? 1 : 0
    const from = Number(first) + shift
    const part = bytes.slice(from, Number(last) + 1 + shift)
    if (mode === 'missing') response.writeHead(404).end()
    else if (mode === 'whole') response.writeHead(200, { 'content-length': bytes.length }).end(bytes)
    else {
      const head = { 'content-range': `bytes ${from}-${Number(last) + shift}/${bytes.length}` }
      if (mode === 'wrong') part[5]! ^= 1
      response.writeHead(206, head)
      if (mode === 'slow') response.write(part.slice(0, 1_000))
      else response.end(mode === 'short' ? part.slice(0, -1) : part)
    }
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/film.mp4`
  const served: ContentServer = {
    url,
    sidecar: `${url}.mayfly`,
    ranges: [],
    broken: 0,
    mode: 'ranges',
    sidecarMode: 'right',
    close: () => {
      server.closeAllConnections()
      server.close()
    }
  }
  return served
}
