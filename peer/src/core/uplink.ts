/** A flow that has sent nothing for so long is not counted: others may have what it had. */
const ACTIVE_MS = 1_000

/** How old what a flow has measured may be. */
const FRESH_MS = 200

/** What one channel knows of the link that all channels of a session leave over. */
export interface UplinkFlow {
  /** When something was last sent. */
  readonly sentAt: number
  /** Bytes that were sent and are not reported yet. */
  readonly inFlight: number
  /** Bytes per millisecond that arrive at the peer, once measured. */
  readonly bytesPerMs: number | undefined
  /** How long what is sent waits, and when that was measured; undefined while the flow cannot tell. */
  readonly queue: { readonly ms: number; readonly at: number } | undefined
}

/**
 * What the channels of one session share: the link that they leave over. Memory: the flows.
 *
 * A flow that begins beside others would take their queue for the link's own delay, and add one of its own on top (the
 * latecomer's advantage of LEDBAT, RFC 6817, 3.3). Here it is told by those who began before.
 */
export class Uplink {
  readonly #flows = new Set<UplinkFlow>()

  join(flow: UplinkFlow): void {
    this.#flows.add(flow)
  }

  leave(flow: UplinkFlow): void {
    this.#flows.delete(flow)
  }

  /** How many flows send now, `flow` included. */
  count(flow: UplinkFlow, now: number): number {
    return this.#others(flow, now).length + 1
  }

  /** Nothing of others is on its way: what `flow` measures is its own doing. */
  isFree(flow: UplinkFlow, now: number): boolean {
    return this.#others(flow, now).every(({ inFlight }) => inFlight === 0)
  }

  /** Bytes per millisecond that all flows send together; undefined while that of `flow` is unknown. */
  bytesPerMs(flow: UplinkFlow, now: number): number | undefined {
    const own = flow.bytesPerMs
    if (own === undefined) return undefined
    return this.#others(flow, now).reduce((sum, { bytesPerMs = 0 }) => sum + bytesPerMs, own)
  }

  /** Milliseconds that what is sent waits, as the other flows know it; undefined where none of them does. */
  queueMs(flow: UplinkFlow, now: number): number | undefined {
    let least: number | undefined
    for (const { queue } of this.#others(flow, now)) {
      if (queue !== undefined && now - queue.at < FRESH_MS) least = Math.min(least ?? Infinity, queue.ms)
    }
    return least
  }

  #others(flow: UplinkFlow, now: number): UplinkFlow[] {
    return [...this.#flows].filter(other => other !== flow && now - other.sentAt < ACTIVE_MS)
  }
}
