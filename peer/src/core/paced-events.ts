/**
 * Events of groups, each told so often and no more: of one thing only the last counts, and the last is told always.
 *
 * Times are milliseconds of any one clock. Memory: a group for each that had an event within the pause, and one event
 * for each thing that has news.
 */
export class PacedEvents<Event> {
  readonly #pauseMs: number
  readonly #groups = new Map<string, { freeAt: number; readonly waiting: Map<string, Event> }>()

  /** `pauseMs` between two events of one group. */
  constructor(pauseMs: number) {
    this.#pauseMs = pauseMs
  }

  /** What there is to tell of a thing of a group from now on. */
  add(group: string, thing: string, event: Event): void {
    const { waiting } = this.#groups.get(group) ?? this.#begin(group)
    waiting.set(thing, event)
  }

  /** What is due; of each group what has waited longest. */
  take(now: number): Event[] {
    const due: Event[] = []
    for (const [name, group] of this.#groups) {
      if (now < group.freeAt) continue
      const [next] = group.waiting
      if (next === undefined) {
        this.#groups.delete(name)
        continue
      }
      group.waiting.delete(next[0])
      group.freeAt = now + this.#pauseMs
      due.push(next[1])
    }
    return due
  }

  /** All that is left. */
  takeAll(): Event[] {
    const left = [...this.#groups.values()].flatMap(({ waiting }) => [...waiting.values()])
    this.#groups.clear()
    return left
  }

  /** When `take` has something to do; undefined while nothing waits. */
  get wakeAt(): number | undefined {
    let at: number | undefined
    for (const { freeAt, waiting } of this.#groups.values())
      if (waiting.size > 0) at = Math.min(at ?? Infinity, freeAt)
    return at
  }

  #begin(group: string): { freeAt: number; readonly waiting: Map<string, Event> } {
    const begun = { freeAt: -Infinity, waiting: new Map<string, Event>() }
    this.#groups.set(group, begun)
    return begun
  }
}
