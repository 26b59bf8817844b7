/** What a mediator has done since it started, for its metrics. Only ever grows; labels come from fixed sets. */
export class Tally {
  /** Messages received in good form, by `type`. */
  readonly messages = new Map<string, number>()
  /** `error` messages sent, by `code`. */
  readonly errors = new Map<string, number>()
  /** Connections that this mediator closed, by close code. */
  readonly closes = new Map<string, number>()
  /** Upgrades refused, by reason. */
  readonly refusedUpgrades = new Map<string, number>()
  /** Signals passed on: `local`, `out` (to another mediator), `in` (from another). */
  readonly signals = new Map<string, number>()
  /** Peers named in answers: `local`, `elsewhere`. */
  readonly named = new Map<string, number>()
  /** Questions that were asked of other mediators too, by how they ended: `settled`, `late`. */
  readonly lookups = new Map<string, number>()
  connections = 0
}

/** One more of `label`. */
export function count(counter: Map<string, number>, label: string, by = 1): void {
  counter.set(label, (counter.get(label) ?? 0) + by)
}
