import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net'
import { type Browser, type Page, chromium } from 'playwright-core'
import { type WebSocket, WebSocketServer } from 'ws'
import { SELF_SIGNED } from '../../mediator/test/self-signed.js'
import { ensureChromium } from '../../scripts/chromium.mjs'
import { TaggedSite, WATCHES_WORKER, noisePng } from './tagged-site.js'
import { AGAINST_THROTTLING, CHROMIUM_SWITCHES } from './world.js'

const IMAGES = 60
/** What the page shows by itself; the others it asks for out of sight, which wait for visitors. */
const SHOWN = 6
/** Of others, who tell addresses of local networks. */
const CANDIDATES = [
  '192.168.1.7 50000 typ host',
  '127.0.0.1 50001 typ host',
  '10.0.0.7 50002 typ srflx raddr 192.168.1.7 rport 50000',
  'b0a8c8a5-2f0e-4a8f-a5f4-0d7b7b2f0a11.local 50003 typ host',
  'fd00::7 50004 typ host'
].map((rest, i) => `candidate:${i} 1 udp 2113937151 ${rest} generation 0`)
const OFFER = [
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 192.168.1.7',
  ...CANDIDATES.slice(0, 3).map(one => `a=${one}`),
  'a=ice-ufrag:abcd',
  'a=ice-pwd:abcdefghijklmnopqrstuvwx',
  `a=fingerprint:sha-256 ${Array<string>(32).fill('AB').join(':')}`,
  'a=setup:actpass',
  'a=mid:0',
  'a=sctp-port:5000',
  'a=max-message-size:262144',
  ''
].join('\r\n')

type Message = Readonly<Record<string, unknown>>
interface Signal {
  readonly type?: string
  readonly sdp?: string
  readonly candidate?: string
}

/** What is left to be done for one visitor: offers of others; others to be named, until it has offered so often. */
interface Left {
  offers: number
  names: number
}

/** A mediator that names whom nobody has heard of, and has them offer connections to whoever speaks with it. */
class OfferingMediator {
  /** What peers tell others: texts of descriptions and candidates. */
  readonly offers: string[] = []
  readonly answers: string[] = []
  readonly candidates: string[] = []
  /** To each visitor it has so many others offer, and names so many. */
  each = 0
  readonly #server: Server = createServer(SELF_SIGNED)
  readonly #peerId = randomBytes(20).toString('hex')
  #named = 0

  async start(): Promise<number> {
    const sockets = new WebSocketServer({ server: this.#server, handleProtocols: () => 'mayfly.v1' })
    sockets.on('connection', socket => {
      const left = { offers: this.each, names: this.each }
      socket.on('message', (data: Buffer) => this.#hear(socket, JSON.parse(data.toString()) as Message, left))
    })
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #hear(socket: WebSocket, message: Message, left: Left): void {
    const say = (answer: Message): void => socket.send(JSON.stringify(answer))
    const offer = (): void => {
      if (left.offers-- > 0) say(this.#offer())
    }
    const { type, fullHash } = message
    if (type === 'handshake') {
      say({ type: 'established', mediatorId: this.#peerId })
      offer()
    }
    // Another each time: nobody is tried twice.
    if (type === 'get_peers') {
      const peers = left.names > 0 ? [this.#address(`${++this.#named}`)] : []
      say({ type: 'peers', fullHash, peers, final: true })
    }
    // Nobody takes it for gone.
    if (type === 'get_mediators') say({ type: 'mediators', mediators: [] })
    if (type === 'signal') this.#take(message, left, { say, offer })
  }
  #address(name: string): Message {
    return { peerId: name.padStart(40, '0'), mediatorId: this.#peerId }
  }
  #offer(): Message {
    const signals = [
      { type: 'offer', sdp: OFFER },
      ...CANDIDATES.map(candidate => ({ type: 'candidate', candidate, sdpMid: '0', sdpMLineIndex: 0 }))
    ]
    const data = { version: 1, connection: randomBytes(8).toString('hex'), signals }
    return { type: 'signal', ...this.#address('ffff'), data }
  }
  #take(
    { data, ...from }: Message,
    left: Left,
    { say, offer }: { say: (message: Message) => void; offer: () => void }
  ): void {
    const { signals = [], connection } = data as { signals?: Signal[]; connection?: string }
    for (const { type, sdp = '', candidate = '' } of signals) {
      if (type === 'offer') {
        this.offers.push(sdp)
        left.names--
        say({ ...from, data: { version: 1, connection, signals: [], closed: true } })
      } else if (type === 'answer') {
        this.answers.push(sdp)
        offer()
      } else this.candidates.push(candidate)
    }
  }
}

describe('a public page with the script tag, under Local Network Access', function () {
  this.timeout(300_000)
  let site: TaggedSite
  let mediator: OfferingMediator
  let local: TcpServer
  let localPort: number
  let dialled = 0
  /** What pages dialled; what they complained about. */
  const hosts = new Set<string>()
  const complaints: string[] = []
  /** Requests to the visitor that the test itself has caused. */
  let asked = 0
  let browser: Browser
  let address: string

  before(async () => {
    site = await new TaggedSite(SELF_SIGNED).start()
    mediator = new OfferingMediator()
    const mediatorPort = await mediator.start()
    local = createTcpServer(socket => {
      dialled++
      socket.destroy()
    }).listen(0, '127.0.0.1')
    await once(local, 'listening')
    localPort = (local.address() as AddressInfo).port
    for (let i = 0; i < IMAGES; i++) await site.add(`/image/${i}.png`, 'image/png', noisePng(i + 1, 20_000))
    site.nameAll()
    const private_ = ['127.0.0.1', 'localhost', '192.168.77.7', '[::1]', 'box.local'].map(
      host => `wss://${host}:${localPort}`
    )
    const script = `<script src="/mayfly.js" data-mediators="${private_.join(' ')} wss://mediator.example:${mediatorPort}"
      data-worker="/mayfly-worker.js" data-manifest="/mayfly-manifest.json"></script>`
    const images = Array.from(
      { length: SHOWN },
      (_, i) => `<img src="/image/${i}.png" alt="" width="300" height="900" loading="lazy">`
    )
    site.pages.set('/', `<!doctype html><title>site</title>${script}<body>${images.join('<br>')}`)
    const { port } = new URL(site.base)
    address = `https://www.site.example:${port}/`
    browser = await chromium.launch({
      executablePath: await ensureChromium(),
      args: [
        ...CHROMIUM_SWITCHES,
        ...AGAINST_THROTTLING,
        '--ignore-certificate-errors',
        '--enable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebRTC',
        // Names that look public, and this machine behind them.
        '--host-resolver-rules=MAP *.example 127.0.0.1',
        `--ip-address-space-overrides=127.0.0.1:${port}=public,127.0.0.1:${mediatorPort}=public`
      ]
    })
  })
  after(async () => {
    await browser?.close()
    mediator?.close()
    site?.close()
    local?.close()
  })

  /** How often the browser was to ask the visitor for something. */
  async function requests(): Promise<number> {
    const devtools = await browser.newBrowserCDPSession()
    const query = 'ContentSettings.PermissionRequested'
    const { histograms } = await devtools.send('Browser.getHistograms', { query })
    await devtools.detach()
    return histograms.find(({ name }) => name === query)?.count ?? 0
  }
  /** The page itself takes a candidate of a local network. */
  const reachInto = (page: Page): Promise<void> =>
    page.evaluate(
      async ([offer, ...candidates]) => {
        const connection = new RTCPeerConnection()
        await connection.setRemoteDescription({ type: 'offer', sdp: offer! })
        await connection.setLocalDescription()
        for (const candidate of candidates) await connection.addIceCandidate({ candidate, sdpMid: '0' })
      },
      [OFFER, ...CANDIDATES]
    )

  /** Gives the page of one visitor, who has told and heard as much as there was. */
  async function visit(): Promise<Page> {
    const [offers, answers] = [mediator.offers.length, mediator.answers.length].map(
      one => one + mediator.each
    )
    const context = await browser.newContext()
    await context.addInitScript({ content: WATCHES_WORKER })
    const page = await context.newPage()
    page.on('websocket', socket => hosts.add(new URL(socket.url()).hostname))
    page.on('pageerror', error => complaints.push(error.message))
    await page.bringToFront()
    await page.goto(address)
    await page.waitForFunction('globalThis.isShown === true && navigator.serviceWorker.controller !== null')
    await page.evaluate(asks, [SHOWN, IMAGES] as const)
    while (mediator.offers.length < offers! || mediator.answers.length < answers!)
      await page.waitForTimeout(20)
    return page
  }

  for (const [visits, each, mark] of [
    [1, 10, ''],
    [20, 25, ' @long']
  ] as const)
    it(`tells and takes no private candidate in ${2 * visits * each} descriptions, dials no private mediator, and has nobody asked${mark}`, async () => {
      mediator.each = each
      let page: Page | undefined
      for (let i = 0; i < visits; i++) {
        await page?.context().close()
        page = await visit()
      }
      const descriptions = [...mediator.offers, ...mediator.answers]
      expect(descriptions).to.have.length.of.at.least(2 * visits * each)
      expect(descriptions.flatMap(sdp => sdp.match(/^a=candidate.*$/gm) ?? [])).to.deep.equal([])
      expect(mediator.candidates).to.deep.equal([])
      expect(new Set(descriptions.flatMap(sdp => sdp.match(/^c=.*/gm) ?? []))).to.deep.equal(
        new Set(['c=IN IP4 0.0.0.0'])
      )
      expect([...hosts]).to.deep.equal(['mediator.example'])
      expect(dialled).to.equal(0)
      expect(complaints).to.deep.equal([])
      expect(await requests()).to.equal(asked)
      // A page that does is one for which the browser would ask.
      await reachInto(page!)
      while ((await requests()) === asked) await page!.waitForTimeout(50)
      asked = await requests()
      await page!.context().close()
    })
})

/** Asks for pictures far below what is seen, one after the other. */
async function asks([from, to]: readonly [from: number, to: number]): Promise<void> {
  document.body.append(Object.assign(document.createElement('div'), { style: 'height: 30000px' }))
  for (let i = from; i < to; i++) {
    const image = Object.assign(document.createElement('img'), { src: `/image/${i}.png` })
    document.body.append(image)
    // The site has it where nobody else has.
    await image.decode()
  }
}
