/** Whom the mediator names for what is wanted: a few hashes stand for a page, as its visitors mostly hold the same ones. */
export interface Lookups {
  /** Until its answer is final, or it is lost: others may still be named. */
  readonly isOpen: boolean
  /** Asks for up to three of these, unless so many were asked for a moment ago. */
  lookUp(fullHashes: readonly string[]): void
  /** True as soon as somebody is named for one of these; false: nobody was. */
  meet(fullHashes: readonly string[]): Promise<boolean>
  /** The mediator has named so many others. */
  named(count: number): void
  /** A question is answered, or cannot be. */
  answered(fullHash: unknown): void
  /** What was asked is not answered any more: everything may be asked for again. */
  lost(): void
  /** Nothing is wanted: the next time it is asked at once. */
  rest(): void
}

/** Objects whose peers are looked up for all that is wanted. */
export const LOOKUPS = 3
const PAUSE_MS = 10_000
/** Nobody waits longer for the first word of a mediator. */
const MEET_MS = 4_000

export function openLookups(ask: (fullHash: string) => void): Lookups {
  const askedAt = new Map<string, number>()
  const open = new Set<string>()
  /** Who wants to know whether somebody is there: each tab asks for itself. */
  let meeting: ((isSomebody: boolean) => void)[] = []
  const isRecent = (at = -Infinity): boolean => performance.now() - at < PAUSE_MS

  const tell = (isSomebody: boolean): void => {
    for (const one of meeting) one(isSomebody)
    meeting = []
  }
  const lookUp = (fullHashes: readonly string[]): void => {
    const wanted = fullHashes.filter(one => !isRecent(askedAt.get(one)))
    const step = Math.max(1, Math.floor(wanted.length / LOOKUPS))
    if ([...askedAt.values()].filter(isRecent).length >= LOOKUPS) return
    for (const fullHash of wanted.filter((_, i) => i % step === 0).slice(0, LOOKUPS)) {
      askedAt.set(fullHash, performance.now())
      open.add(fullHash)
      ask(fullHash)
    }
  }
  return {
    get isOpen() {
      return open.size > 0
    },
    lookUp,
    meet: fullHashes =>
      new Promise(resolve => {
        meeting.push(resolve)
        askedAt.clear()
        setTimeout(resolve, MEET_MS, false)
        lookUp(fullHashes)
        if (open.size === 0) resolve(false)
      }),
    named: count => {
      if (count > 0) tell(true)
    },
    answered: fullHash => {
      open.delete(fullHash as string)
      if (open.size === 0) tell(false)
    },
    lost: () => {
      open.clear()
      askedAt.clear()
    },
    rest: () => askedAt.clear()
  }
}
