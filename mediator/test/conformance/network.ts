import { expect } from 'chai'
import type { Address, RawClient } from './raw-client.js'
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

function isSame(one: Address, other: Address): boolean {
  return one.peerId === other.peerId && one.mediatorId === other.mediatorId
}

/** Asks until `peer` is named; gives the milliseconds up to the very answer that named it. Fails after `withinMs`. */
export async function found(
  asker: RawClient,
  fullHash: string,
  peer: Address,
  withinMs: number
): Promise<number> {
  const start = performance.now()
  const ask = async (): Promise<number> => {
    const askedAt = performance.now() - start
    const { messages, arrivals } = await asker.ask(fullHash)
    const index = messages.findIndex(({ peers }) => peers?.some(named => isSame(named, peer)))
    expect(index, 'the number of the answer that names the peer').to.be.at.least(0)
    return askedAt + (arrivals[index] ?? 0)
  }
  const tookMs = await eventually(ask, withinMs, 200)
  expect(tookMs, 'milliseconds until the peer was named').to.be.at.most(withinMs)
  return tookMs
}

/** Asks once, `ms` after `start`, and says whether `peer` was named in any answer to that question. */
export async function namedAt(
  when: { readonly start: number; readonly ms: number },
  asker: RawClient,
  fullHash: string,
  peer: Address
): Promise<boolean> {
  await at(when.start, when.ms)
  const { peers } = await asker.ask(fullHash)
  return peers.some(named => isSame(named, peer))
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
