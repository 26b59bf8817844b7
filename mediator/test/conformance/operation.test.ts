import { mkdtemp, rm } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { RawClient, UpgradeRefused } from './raw-client.js'
import { randomHash, randomPeerId } from './random-id.js'
import { runToExit } from './spawned-mediator.js'
import { ownStage, sharedStage } from './stage.js'
import { eventually } from './time.js'

describe('Conformance: pages for operators', function () {
  this.timeout(40_000)
  const stage = sharedStage()

  it('say at /healthz that the process lives, and at /readyz that it serves', async () => {
    for (const path of ['/healthz', '/readyz']) {
      await eventually(async () => {
        const response = await fetch(stage.mediator.httpUrl + path)
        await response.text()
        expect(response.status, path).to.equal(200)
      }, 5000)
    }
  })

  it('show at /metrics what Prometheus reads', async () => {
    const response = await fetch(`${stage.mediator.httpUrl}/metrics`)
    expect(response.status).to.equal(200)
    expect(response.headers.get('content-type')).to.match(/^text\/plain|^application\/openmetrics-text/)
    const text = await response.text()
    expect(text).to.match(/^process_resident_memory_bytes \d+/m)
    expect(text).to.match(/^# (HELP|TYPE) mayfly_/m)
  })

  it('name no peer and no hash', async () => {
    const fullHash = randomHash()
    const seeder = await stage.seeder([fullHash])
    const text = await (await fetch(`${stage.mediator.httpUrl}/metrics`)).text()
    expect(text).to.not.include(fullHash)
    expect(text).to.not.include(seeder.peerId)
  })

  it('are not found elsewhere', async () => {
    const response = await fetch(`${stage.mediator.httpUrl}/no-such-page`)
    await response.text()
    expect(response.status).to.be.within(400, 499)
  })
})

describe('Conformance: addresses to listen on', function () {
  this.timeout(40_000)
  const stage = ownStage({}, { flags: ['--host', '127.0.0.1'] })
  const hasIpv6 = Object.values(networkInterfaces()).some(list =>
    list?.some(({ address }) => address === '::1')
  )

  it('are those of IPv6 too by default, and only the one that --host names', async function () {
    if (!hasIpv6) this.skip()
    const socket = await RawClient.open(stage.mediator.url.replace('127.0.0.1', '[::1]'))
    await socket.shakeHands(randomPeerId())
    await socket.close()
    await stage.peer({ mediator: stage.nth(1) })
    const unreachable = stage.nth(1).url.replace('127.0.0.1', '[::1]')
    const refused = await RawClient.open(unreachable).catch((error: unknown) => error)
    expect(refused).to.include({ code: 'ECONNREFUSED' })
  })
})

describe('Conformance: --data-dir', function () {
  this.timeout(40_000)
  const stage = ownStage()
  let directory = ''

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mayfly-conformance-'))
  })

  after(() => rm(directory, { recursive: true, force: true }))

  it('keeps the mediator id over restarts, also after SIGKILL', async () => {
    const flags = ['--data-dir', join(directory, 'new', 'folder')]
    const first = await stage.start({ flags })
    await first.stop()
    const second = await stage.start({ flags })
    expect(second.mediatorId).to.equal(first.mediatorId)
    await second.kill()
    const third = await stage.start({ flags })
    expect(third.mediatorId).to.equal(first.mediatorId)
    expect((await stage.peer({ mediator: third })).mediatorId).to.equal(first.mediatorId)
    await third.kill()
  })

  it('gives another folder another mediator id', async () => {
    const one = await stage.start({ flags: ['--data-dir', join(directory, 'one')] })
    const two = await stage.start({ flags: ['--data-dir', join(directory, 'two')] })
    expect(one.mediatorId).to.not.equal(two.mediatorId)
    await Promise.all([one.kill(), two.kill()])
  })

  it('that cannot be one ends the mediator with one line', async () => {
    const exit = await runToExit(['0', '0', '--data-dir', '/dev/null/mayfly'])
    expect(exit.code).to.be.oneOf([1, 2])
    expect(exit.stdout).to.equal('')
    expect(exit.stderr).to.match(/^[^\n]+\n$/)
  })
})

describe('Conformance: --origin', function () {
  this.timeout(40_000)
  const stage = ownStage({ flags: ['--origin', 'https://site.example'] })

  it('lets pages of that origin connect', async () => {
    await stage.peer({ headers: { origin: 'https://site.example' } })
  })

  it('keeps pages of other origins out', async () => {
    for (const origin of [
      'https://other.example',
      'http://site.example',
      'https://site.example.evil',
      'null'
    ]) {
      const refused = await stage.socket({ headers: { origin } }).then(
        () => undefined,
        (error: unknown) => error
      )
      expect(refused, origin).to.be.instanceOf(UpgradeRefused)
      expect((refused as UpgradeRefused).status).to.be.within(400, 499)
    }
  })
})

describe('Conformance: --ice-server', function () {
  this.timeout(40_000)
  const stage = ownStage({ flags: ['--ice-server', 'stun:stun.example:3478'] })

  it('is told to peers in established', async () => {
    const { established } = await stage.peer()
    expect(JSON.stringify(established?.iceServers)).to.include('stun:stun.example:3478')
  })
})

describe('Conformance: options as environment variables', function () {
  this.timeout(40_000)
  const stage = ownStage({
    env: {
      MAYFLY_ICE_SERVER: 'stun:one.example:3478 stun:two.example',
      MAYFLY_ORIGIN: 'https://site.example'
    }
  })

  it('say the same as on the command line', async () => {
    const { established } = await stage.peer({ headers: { origin: 'https://site.example' } })
    expect(JSON.stringify(established?.iceServers)).to.include('one.example').and.to.include('two.example')
    const refused = await stage
      .socket({ headers: { origin: 'https://other.example' } })
      .catch((error: unknown) => error)
    expect(refused).to.be.instanceOf(UpgradeRefused)
  })

  it('are refused with one line and exit 2 where they are wrong', async () => {
    const exit = await runToExit(['0', '0'], { MAYFLY_PUBLIC_URL: 'nowhere' })
    expect(exit.code).to.equal(2)
    expect(exit.stderr).to.match(/^[^\n]+\n$/)
  })
})

describe('Conformance: /metrics behind a proxy', function () {
  this.timeout(40_000)
  const stage = ownStage(
    { flags: ['--trust-proxy', 'loopback'] },
    { flags: ['--trust-proxy', 'loopback', '--metrics-public'] }
  )

  async function statusFor(index: number, forwarded?: string): Promise<number> {
    const headers: Record<string, string> = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
    const response = await fetch(`${stage.nth(index).httpUrl}/metrics`, { headers })
    await response.text()
    return response.status
  }

  it('is for loopback only unless --metrics-public allows others', async () => {
    expect(await statusFor(0, '203.0.113.5')).to.be.within(400, 499)
    expect(await statusFor(0)).to.equal(200)
    expect(await statusFor(1, '203.0.113.5')).to.equal(200)
  })
})

describe('Conformance: --trust-proxy', function () {
  this.timeout(40_000)
  const stage = ownStage({ flags: ['--trust-proxy', '127.0.0.1'], limits: { connectionsPerAddress: 2 } })
  const from = (address: string): { headers: Record<string, string> } => ({
    headers: { 'x-forwarded-for': address }
  })

  it('counts connections by the forwarded address', async () => {
    for (let visitor = 1; visitor <= 5; visitor++) await stage.socket(from(`203.0.113.${visitor}`))
    await stage.socket(from('203.0.113.1'))
    const third = await stage.socket(from('203.0.113.1')).catch((error: unknown) => error)
    expect(third).to.be.instanceOf(UpgradeRefused)
    expect((third as UpgradeRefused).status).to.equal(429)
  })

  it('counts an IPv6 /64 as one address', async () => {
    await stage.socket(from('2001:db8:1:2::1'))
    await stage.socket(from('2001:db8:1:2:ffff:ffff:ffff:ffff'))
    const third = await stage.socket(from('2001:0db8:0001:0002:0::9')).catch((error: unknown) => error)
    expect(third).to.be.instanceOf(UpgradeRefused)
    expect((third as UpgradeRefused).status).to.equal(429)
    await stage.socket(from('2001:db8:1:3::1'))
  })
})

describe('Conformance: forwarded addresses without --trust-proxy', function () {
  this.timeout(40_000)
  const stage = ownStage({ limits: { connectionsPerAddress: 2 } })

  it('do not count: whoever names one is still the address that connects', async () => {
    await stage.socket({ headers: { 'x-forwarded-for': '203.0.113.1' } })
    await stage.socket({ headers: { 'x-forwarded-for': '203.0.113.2' } })
    const third = await stage
      .socket({ headers: { 'x-forwarded-for': '203.0.113.3' } })
      .catch((error: unknown) => error)
    expect(third).to.be.instanceOf(UpgradeRefused)
  })
})
