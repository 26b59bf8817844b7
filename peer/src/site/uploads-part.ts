/** The part of the script tag that gives: `mayfly-uploads.js`. */
import { uploadBudget, uploadLimits } from '../core/upload-budget.js'
import type { UploadsPart } from './parts.js'
import { uploads } from './uploads.js'

/** Between two events that tell what was given. */
const TELL_MS = 1_000

const part: UploadsPart = (options, { budget: record, mayUpload, object, encode, read }) => {
  const limits = uploadLimits(options)
  const budget = uploadBudget(limits, record, Date.now())
  let telling: ReturnType<typeof setTimeout> | undefined
  const tell = (): void => {
    telling ??= setTimeout(() => {
      telling = undefined
      dispatchEvent(new CustomEvent('mayfly', { detail: budget.totals(Date.now()) }))
    }, TELL_MS)
  }
  addEventListener('pagehide', () => budget.settle(Date.now()))
  return {
    ...uploads({
      encode,
      read,
      object,
      slots: limits.slots,
      mayUpload,
      take: bytes => budget.ask(bytes, Date.now()),
      gave: tell
    }),
    // Who has nothing left to give would cost others a connection.
    hasRoom: () => limits.slots > 0 && budget.hasRoom(Date.now()),
    received: bytes => {
      budget.receive(bytes, Date.now())
      if (bytes > 0) tell()
    }
  }
}

const { mayfly } = globalThis as unknown as { mayfly: { parts: Record<string, unknown> } }
mayfly.parts['uploads'] = part
