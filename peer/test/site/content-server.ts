import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { LongContent } from './long-content.js'

/** How it answers a range. */
export type Mode =
  | 'ranges'
  /** Knows none: 200, and everything; without a length; or compressed. */
  | 'whole'
  | 'chunked'
  | 'gzip'
  /** 206 with everything. */
  | 'everything'
  /** Does not say how long everything is, or does not say anything. */
  | 'starred'
  | 'untold'
  /** 10,000 bytes at a time. */
  | 'capped'
  /** Begins 100 bytes earlier. */
  | 'early'
  /** Ends one byte too soon, whatever it says. */
  | 'short'
  /** Breaks off in the middle. */
  | 'cutOff'
  /** One byte later than asked for, or always the first 10,000, or nothing. */
  | 'shifted'
  | 'stuck'
  | 'empty'
  /** Of a content that is one byte longer; or of another version each time, 10,000 bytes of it. */
  | 'longer'
  | 'changing'
  | 'missing'
  | 'wrong'
  | 'slow'

/** How a site answers requests for one content; its sidecar is at the same address with `.mayfly`. */
export interface ContentServer {
  readonly url: string
  readonly sidecar: string
  /** Ranges as they were asked for, in their order; empty where there was none. */
  readonly ranges: string[]
  /** Requests that were closed before they were answered whole. */
  broken: number
  mode: Mode
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
    if (mode === 'missing') response.writeHead(404).end()
    else if (mode === 'whole') response.writeHead(200, { 'content-length': bytes.length }).end(bytes)
    else if (mode === 'chunked') response.writeHead(200).end(bytes)
    else if (mode === 'gzip')
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(bytes, { level: 1 }))
    else answerPart(response, range, mode)
  }
  const answerPart = (response: ServerResponse, range: string, mode: Mode): void => {
    const [, first = '0', last = ''] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? []
    const [from, end] = partOf(mode, Number(first), Number(last) + 1, bytes.length)
    const part = bytes.slice(from, end)
    const total = mode === 'starred' ? '*' : bytes.length + (mode === 'longer' ? 1 : 0)
    const told = mode !== 'untold' && { 'content-range': `bytes ${from}-${end - 1}/${total}` }
    const tag = mode === 'changing' && { etag: `"${served.ranges.length}"` }
    if (mode === 'wrong') part[5]! ^= 1
    response.writeHead(206, { ...told, ...tag })
    if (mode === 'slow') response.write(part.slice(0, 1_000))
    else if (mode === 'cutOff') response.write(part.slice(0, 1_000), () => response.destroy())
    else response.end(mode === 'short' ? part.slice(0, -1) : mode === 'empty' ? '' : part)
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

/** The bytes that are sent for those asked for. */
function partOf(mode: Mode, from: number, end: number, length: number): [from: number, end: number] {
  if (mode === 'everything') return [0, length]
  if (mode === 'stuck') return [0, 10_000]
  if (mode === 'shifted') return [from + 1, end + 1]
  if (mode === 'early') return [Math.max(0, from - 100), end]
  return [from, mode === 'capped' || mode === 'changing' ? Math.min(end, from + 10_000) : end]
}
