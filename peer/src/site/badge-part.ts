/** The part of the script tag that shows what is shared: `mayfly-badge.js`. */
import { showBadge, type BadgeHost } from './badge.js'
import type { BadgePart } from './parts.js'

const part: BadgePart = (state, { stop, start }) => {
  /** The account of the period, which all tabs share: its first day, bytes given, bytes received. */
  const account = (at: number): number => Number(state.budget.read()?.split(',')[at] ?? 0) || 0
  const host: BadgeHost = {
    get given() {
      return account(1)
    },
    get received() {
      return account(2)
    },
    get stopped() {
      return state.consent() === 'stopped'
    },
    onchange: null,
    stop,
    start
  }
  for (const type of ['mayfly', 'storage']) addEventListener(type, () => host.onchange?.())
  showBadge(host)
}

const { mayfly } = globalThis as unknown as { mayfly: { parts: Record<string, unknown> } }
mayfly.parts['badge'] = part
