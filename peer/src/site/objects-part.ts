/** The part of the script tag that fetches whole objects: `mayfly-objects.js`. */
import { openSession } from './objects.js'
import type { ObjectsPart } from './parts.js'
import { openStore } from './store.js'
import { shareAmongTabs } from './tabs.js'

const part: ObjectsPart = ({ storeBytes, ...options }) =>
  shareAmongTabs(() => openSession({ ...options, store: openStore(storeBytes) }))

const { mayfly } = globalThis as unknown as { mayfly: { parts: Record<string, unknown> } }
mayfly.parts['objects'] = part
