import type { IncomingMessage, ServerResponse } from 'node:http'
import { isLoopback } from '../core/network-address.js'
import type { Metrics } from '../adapters/metrics.js'

/** What the plain HTTP side of a mediator knows. */
export interface HttpRoutes {
  /** Serving, and its network answers. */
  isReady(): boolean
  /** `undefined` until the mediator serves. */
  metrics(): Metrics | undefined
  /** Anyone may read `/metrics`, not only loopback. */
  readonly metricsPublic: boolean
}

/** Answers a request that is no WebSocket upgrade: /healthz, /readyz, /metrics, and a short no to the rest. */
export async function serveHttp(
  routes: HttpRoutes,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, 'only GET')
  const path = (request.url ?? '').split('?')[0]
  if (path === '/healthz') return answer(response, 200, 'ok')
  if (path === '/readyz') {
    return routes.isReady() ? answer(response, 200, 'ready') : answer(response, 503, 'not ready')
  }
  if (path === '/metrics') return serveMetrics(routes, request, response)
  if (path === '/') {
    response.setHeader('Upgrade', 'websocket')
    return answer(response, 426, 'a Mayfly mediator: connect with a WebSocket')
  }
  return answer(response, 404, 'not found')
}

async function serveMetrics(
  routes: HttpRoutes,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  const metrics = routes.metrics()
  if (!routes.metricsPublic && !isLocal(request)) return answer(response, 403, 'only from this machine')
  if (metrics === undefined) return answer(response, 503, 'not ready')
  const text = await metrics.text()
  response.setHeader('Content-Type', metrics.contentType)
  response.end(text)
}

/** From this machine, and not through a proxy on it that passes on the requests of others. */
function isLocal(request: IncomingMessage): boolean {
  const { headers, socket } = request
  const forwarded =
    headers['x-forwarded-for'] ?? headers['forwarded'] ?? headers['x-real-ip'] ?? headers['via']
  return forwarded === undefined && isLoopback(socket.remoteAddress ?? '')
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status
  // Nobody needs a second request at once, and a body that we do not read must not wait in the connection.
  response.setHeader('Connection', 'close')
  response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.end(`${text}\n`)
}
