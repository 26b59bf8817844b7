import { expect } from 'chai'
import type { Address, Answers, RawClient } from './raw-client.js'
import type { SpawnedMediator } from './spawned-mediator.js'
import type { Stage } from './stage.js'
import { at, eventually } from './time.js'

/** How mediators are bootstrapped: each through the one before it, all through the first, or any earlier one. */
export type Shape = 'chain' | 'star' | 'tree'

/** Which earlier mediator the mediator `index` is bootstrapped through. */
function parentOf(shape: Shape, index: number): number {
  if (shape === 'star') return 0
  return shape === 'chain' ? index - 1 : Math.floor((index - 1) / 2)
}

/** Starts `count` mediators of one network on the stage. */
export async function startNetwork(stage: Stage, count: number, shape: Shape): Promise<void> {
  await stage.start()
  for (let index = 1; index < count; index++) {
    await stage.start({ bootstrap: stage.nth(parentOf(shape, index)).bootstrapAddress })
  }
}

function isNamed(peer: Address, { peers }: Answers): boolean {
  return peers.some(({ peerId, mediatorId }) => peerId === peer.peerId && mediatorId === peer.mediatorId)
}

/** Asks again and again until `peer` is named; gives the milliseconds that it took. Fails after `withinMs`. */
export async function found(
  asker: RawClient,
  fullHash: string,
  peer: Address,
  withinMs: number
): Promise<number> {
  const start = performance.now()
  await eventually(
    async () => expect(isNamed(peer, await asker.ask(fullHash)), 'found').to.equal(true),
    withinMs,
    200
  )
  return performance.now() - start
}

/** Asks once, `ms` after `start`, and says whether `peer` was named in any answer to that question. */
export async function namedAt(
  when: { readonly start: number; readonly ms: number },
  asker: RawClient,
  fullHash: string,
  peer: Address
): Promise<boolean> {
  await at(when.start, when.ms)
  return isNamed(peer, await asker.ask(fullHash))
}

/** A peer of `to` seeds, a peer of `from` is told of it. The first is the one that was told. */
export async function introducedAcross(
  stage: Stage,
  fullHash: string,
  from: SpawnedMediator,
  to: SpawnedMediator
): Promise<[RawClient, RawClient]> {
  const receiver = await stage.seeder([fullHash], { mediator: to })
  const sender = await stage.peer({ mediator: from })
  await found(sender, fullHash, receiver.address, 5000)
  return [sender, receiver]
}
