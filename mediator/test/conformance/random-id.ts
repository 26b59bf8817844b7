import { randomBytes } from 'node:crypto'

/** A peer id that nobody else has. */
export function randomPeerId(): string {
  return randomBytes(20).toString('hex')
}

/** A full hash that nobody seeds. */
export function randomHash(): string {
  return randomBytes(32).toString('hex')
}

/** `count` full hashes that nobody seeds. */
export function randomHashes(count: number): string[] {
  return Array.from({ length: count }, randomHash)
}

/** The id of a mediator that does not exist. */
export function randomMediatorId(): string {
  return randomBytes(32).toString('hex')
}
