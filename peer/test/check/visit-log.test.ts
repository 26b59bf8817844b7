import { expect } from 'chai'
import fc from 'fast-check'
import { VisitLog } from '../../src/check/visit-log.js'

describe('the log of a visit', () => {
  it('counts what servers sent, and not what a worker or a cache had', () => {
    const log = new VisitLog()
    const request = (requestId: string, response: object, bytes: number, scope = 'page'): void => {
      log.take(
        'Network.requestWillBeSent',
        { requestId, request: { url: `https://x.example/${requestId}` } },
        scope
      )
      log.take('Network.responseReceived', { requestId, response }, scope)
      log.take('Network.loadingFinished', { requestId, encodedDataLength: bytes }, scope)
    }
    request('1', {}, 100)
    request('2', { fromServiceWorker: true }, 200)
    request('3', { fromDiskCache: true }, 300)
    request('1', {}, 400, 'worker')
    log.take('Network.requestWillBeSent', { requestId: '4', request: { url: 'https://x.example/4' } }, 'page')
    log.take('Network.requestServedFromCache', { requestId: '4' }, 'page')
    log.take('Network.loadingFinished', { requestId: '4', encodedDataLength: 500 }, 'page')
    expect(log.answers.map(({ bytes }) => bytes)).to.deep.equal([100, 400])
  })

  it('knows what was said with a mediator', () => {
    const log = new VisitLog()
    const frame = (method: string, message: object): void =>
      log.take(
        `Network.webSocketFrame${method}`,
        { response: { payloadData: JSON.stringify(message) } },
        'page'
      )
    log.take('Network.webSocketCreated', { url: 'wss://m.example' }, 'page')
    frame('Received', { type: 'established' })
    frame('Sent', { type: 'announce', fullHashes: ['a', 'b'] })
    frame('Sent', { type: 'get_peers', fullHash: 'c' })
    frame('Received', { type: 'peers', fullHash: 'c', peers: [] })
    expect(log.mediation).to.deep.include({ sockets: 1, established: 1 })
    expect(log.mediation.announced).to.have.lengthOf(2)
    expect(log.mediation.named).to.have.lengthOf(0)
    frame('Received', { type: 'peers', fullHash: 'c', peers: [{}] })
    expect([...log.mediation.named]).to.deep.equal([...log.mediation.asked])
  })

  it('keeps what the console of the page complains about, each once and not without end', () => {
    const log = new VisitLog()
    const entry = { level: 'error', text: 'refused', url: 'https://x.example/a' }
    for (let i = 0; i < 2; i++) log.take('Log.entryAdded', { entry }, 'page')
    log.take(
      'Runtime.exceptionThrown',
      { exceptionDetails: { exception: { description: 'Error: no\n at' } } },
      'page'
    )
    log.take(
      'Runtime.consoleAPICalled',
      { type: 'error', args: [{ value: 'a' }, { description: 'b' }] },
      'page'
    )
    const icon = { level: 'error', text: 'Failed: 404', url: 'https://x.example/favicon.ico' }
    log.take('Log.entryAdded', { entry: icon }, 'page')
    log.take('Runtime.consoleAPICalled', { type: 'log', args: [{ value: 'c' }] }, 'page')
    expect([...log.errors]).to.deep.equal(['refused https://x.example/a', 'Error: no', 'a b'])
    for (let i = 0; i < 100; i++) log.take('Log.entryAdded', { entry: { ...entry, text: `${i}` } }, 'page')
    expect(log.errors).to.have.lengthOf(20)
  })

  it('never throws, whatever it is told', () => {
    const methods = [
      'Network.requestWillBeSent',
      'Network.responseReceived',
      'Network.loadingFinished',
      'Network.webSocketFrameSent',
      'Network.webSocketFrameReceived',
      'Runtime.exceptionThrown',
      'Runtime.consoleAPICalled',
      'Log.entryAdded'
    ]
    const value = fc.anything()
    const keys = ['request', 'response', 'requestId', 'exceptionDetails', 'entry', 'args', 'type']
    const params = fc.record(Object.fromEntries(keys.map(key => [key, value])))
    fc.assert(
      fc.property(fc.constantFrom(...methods), params, fc.json(), (method, some, payloadData) => {
        new VisitLog().take(method, JSON.parse(JSON.stringify(some)) as never, 'page')
        new VisitLog().take(method, { response: { payloadData } }, 'page')
      })
    )
  })
})
