import { MemoryNetwork } from '../../src/adapters/memory-connector.js'
import { runConnectorContract } from '../ports/connector-contract.js'

runConnectorContract('the memory connector', () => {
  const network = new MemoryNetwork()
  return Promise.resolve([network.connector(), network.connector()] as const)
})
