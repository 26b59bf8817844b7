/**
 * The mediators that a peer knows, by their WebSocket URLs, in the order in which it goes to them when its
 * own is lost: by XOR distance to its peer id, so that the peers of one mediator spread evenly.
 */
export interface MediatorTable {
  /** Adding twice changes nothing. The caller keeps the number small. */
  add(url: string): void
  remove(url: string): void
  /** All, nearest first. */
  nearest(): readonly string[]
}
