import { build } from 'esbuild'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

/**
 * Bundles an entry file of this folder, and serves a page that runs it on 127.0.0.1. `extend` may add to the server.
 */
export async function serveEntry(
  entry: string,
  extend: (server: Server) => void = () => {}
): Promise<{ readonly url: string; close(): void }> {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    conditions: ['mayfly-src'],
    define: { global: 'globalThis' },
    logLevel: 'silent'
  })
  const script = bundle.outputFiles[0]?.text ?? ''
  const server = createServer((request, response) => {
    if (request.url === '/script.js') response.setHeader('content-type', 'text/javascript').end(script)
    else
      response
        .setHeader('content-type', 'text/html')
        .end('<meta charset="utf-8"><script src="/script.js"></script>')
  })
  extend(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.closeAllConnections()
      server.close()
    }
  }
}
