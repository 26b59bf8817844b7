import { expect } from 'chai'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('cut-off.ts', import.meta.url))

/** ICE says that it is disconnected after some five seconds; both sides find out then. */
const WITHIN_MS = 15_000

describe('a channel whose network is cut off', function () {
  this.timeout(40_000)

  before(function () {
    // A network of its own, which can be changed: of Linux, for root.
    const addLink = 'ip link add v0 type veth peer name v1'.split(' ')
    const possible = spawnSync('unshare', ['--net', ...addLink])
    if (possible.status !== 0) this.skip()
  })

  it('is replaced by one over the other network, on both sides @long', async () => {
    const node = [process.execPath, '--conditions=mayfly-src', '--import', 'tsx', SCRIPT]
    const child = spawn('unshare', ['--net', ...node], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    expect(code).to.equal(0)
    expect((JSON.parse(said) as { ms: number }).ms).to.be.below(WITHIN_MS)
  })
})
