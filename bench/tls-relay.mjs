import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer } from 'node:tls'

/** So long nothing may come or go before a step counts as over. */
const QUIET_MS = 1_500

/** TLS in front of a mediator, which counts what the clients that connect after `reset` send and receive. */
export async function tlsRelay({ hostname, port }) {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-bytes-'))
  const [key, cert] = ['key', 'cert'].map(name => join(folder, `${name}.pem`))
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  execFileSync('openssl', ['req', '-x509', '-nodes', ...kind, '-keyout', key, '-out', cert, ...subject], {
    stdio: 'ignore'
  })
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) })
  rmSync(folder, { recursive: true })
  let watched = new Set()
  const ended = { up: 0, down: 0, tlsUp: 0, tlsDown: 0 }
  let heardAt = 0
  server.on('secureConnection', client => {
    const upstream = connect(Number(port), hostname)
    const link = { client, up: 0, down: 0 }
    watched.add(link)
    client.on('data', bytes => {
      heardAt = Date.now()
      link.up += bytes.length
      upstream.write(bytes)
    })
    upstream.on('data', bytes => {
      heardAt = Date.now()
      link.down += bytes.length
      client.write(bytes)
    })
    for (const [one, other] of [
      [client, upstream],
      [upstream, client]
    ])
      one.on('error', () => {}).on('close', () => other.destroy())
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `wss://127.0.0.1:${server.address().port}`,
    reset: () => (watched = new Set()),
    counted() {
      const sum = { ...ended }
      for (const { client, up, down } of watched) {
        sum.up += up
        sum.down += down
        // Below the TLS socket lies the one of TCP.
        sum.tlsUp += client._parent?.bytesRead ?? client.bytesRead
        sum.tlsDown += client._parent?.bytesWritten ?? client.bytesWritten
      }
      return sum
    },
    async quiet() {
      heardAt = Date.now()
      while (Date.now() - heardAt < QUIET_MS) await sleep(50)
    },
    close: () => new Promise(resolve => server.close(resolve) && setTimeout(resolve, 200))
  }
}
