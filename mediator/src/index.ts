export { createMediator, type JoinNetwork, type Mediator, type MediatorOptions } from './mediator.js'
export { NetworkOfOne } from './network-of-one.js'
export { mediatorIdOf, newSeed } from './identity.js'
