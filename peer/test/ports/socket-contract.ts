import { expect } from 'chai'
import type { OpenSocket, Socket } from '../../src/ports/socket.js'
import { until } from '../until.js'

/**
 * The server that the contract talks to. It does what a text frame says: `echo …`, `binary`, `large`,
 * `close <code> <reason>`; `protocol` is answered with the subprotocol that was agreed.
 */
export type ServerUrl = () => Promise<string>

/** What every kind of WebSocket must do. */
export function runSocketContract(name: string, openSocket: OpenSocket, serverUrl: ServerUrl): void {
  describe(`${name} as a socket`, () => {
    let url: string

    before(async () => {
      url = await serverUrl()
    })

    function start(to = url) {
      const seen = { opens: 0, messages: [] as string[], closes: [] as (readonly [number, string])[] }
      const socket: Socket = openSocket(to, {
        onopen: () => void (seen.opens += 1),
        onmessage: text => void seen.messages.push(text),
        onclose: (code, reason) => void seen.closes.push([code, reason])
      })
      return { seen, socket }
    }

    async function open() {
      const started = start()
      await until(() => started.seen.opens === 1)
      return started
    }

    it('carries text both ways, in order', async () => {
      const { seen, socket } = await open()
      for (const text of ['one', 'zwölf ✓', 'x'.repeat(60_000)]) socket.send(`echo ${text}`)
      await until(() => seen.messages.length === 3)
      expect(seen.messages).to.deep.equal(['one', 'zwölf ✓', 'x'.repeat(60_000)])
      socket.close(1000)
    })

    it('offers the subprotocol', async () => {
      const { seen, socket } = await open()
      socket.send('protocol')
      await until(() => seen.messages.length === 1)
      expect(seen.messages).to.deep.equal(['mayfly.v1'])
      socket.close(1000)
    })

    it('tells the code and the reason that the other side closed with', async () => {
      const { seen, socket } = await open()
      socket.send('close 4401 go away')
      await until(() => seen.closes.length === 1)
      expect(seen.closes).to.deep.equal([[4401, 'go away']])
    })

    it('is closed once when we close, with or without a code, and takes more calls', async () => {
      for (const code of [1000, undefined]) {
        const { seen, socket } = await open()
        socket.close(code)
        socket.close(code)
        socket.send('echo late')
        await until(() => seen.closes.length > 0)
        socket.close(code)
        await until(() => true)
        expect(seen.closes).to.have.length(1)
        expect(seen.messages).to.deep.equal([])
      }
    })

    it('closes on a binary frame, and on one that is too large', async () => {
      for (const order of ['binary', 'large']) {
        const { seen, socket } = await open()
        socket.send(order)
        await until(() => seen.closes.length === 1)
        expect(seen.messages).to.deep.equal([])
      }
    })

    it('sends nothing and throws nothing before it is open', async () => {
      const { seen, socket } = start()
      socket.send('echo early')
      await until(() => seen.opens === 1)
      socket.send('echo now')
      await until(() => seen.messages.length === 1)
      expect(seen.messages).to.deep.equal(['now'])
      socket.close(1000)
    })

    it('is closed once when it is closed before it opened', async () => {
      const { seen, socket } = start()
      socket.close()
      await until(() => seen.closes.length > 0)
      expect(seen.opens).to.equal(0)
      expect(seen.closes).to.have.length(1)
    })

    it('closes where nobody listens, and for what is no address', async () => {
      for (const nowhere of ['ws://127.0.0.1:9/', 'ws://[', 'ftp://127.0.0.1/']) {
        const { seen } = start(nowhere)
        expect(seen.closes).to.deep.equal([])
        await until(() => seen.closes.length > 0)
        expect(seen.closes, nowhere).to.have.length(1)
        expect(seen.opens).to.equal(0)
      }
    })
  })
}
