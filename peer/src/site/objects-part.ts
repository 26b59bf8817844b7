/** The part of the script tag that fetches whole objects: `mayfly-objects.js`. */
import { uploadBudget, uploadLimits } from '../core/upload-budget.js'
import { openSession } from './objects.js'
import type { ObjectsPart } from './parts.js'
import { keepShown, present } from './presenter.js'
import { openStore } from './store.js'
import { shareAmongTabs } from './tabs.js'

/** Bytes that are kept by default. */
const STORE_BYTES = 67_108_864
/** Between two events that tell what was given. */
const TELL_MS = 1_000

const part: ObjectsPart = (
  { storeBytes = STORE_BYTES, ...options },
  { mayUpload, budget: record, streams }
) => {
  const limits = uploadLimits(options)
  const session = shareAmongTabs(() => {
    const budget = uploadBudget(limits, record, Date.now())
    let telling: ReturnType<typeof setTimeout> | undefined
    const tell = (): void => {
      telling ??= setTimeout(() => {
        telling = undefined
        dispatchEvent(new CustomEvent('mayfly', { detail: budget.totals(Date.now()) }))
      }, TELL_MS)
    }
    addEventListener('pagehide', () => budget.settle(Date.now()))
    return openSession({
      ...options,
      store: openStore(storeBytes),
      slots: limits.slots,
      mayUpload,
      streams,
      take: bytes => budget.ask(bytes, Date.now()),
      gave: tell,
      received: bytes => {
        budget.receive(bytes, Date.now())
        tell()
      }
    })
  })
  return {
    ...session,
    present: (element, showing) => present(session, element, showing),
    keepShown: (element, fullHash, url) => keepShown(session, element, fullHash, url)
  }
}

const { mayfly } = globalThis as unknown as { mayfly: { parts: Record<string, unknown> } }
mayfly.parts['objects'] = part
