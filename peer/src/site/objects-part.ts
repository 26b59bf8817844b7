/** The part of the script tag that fetches whole objects: `mayfly-objects.js`. */
import { openSession } from './objects.js'
import type { ObjectsPart, StreamsPart, UploadsPart } from './parts.js'
import { keepShown, present } from './presenter.js'
import { openStore } from './store.js'
import { shareAmongTabs } from './tabs.js'

/** What parts must hash to. Put in when the bundle is made. */
declare const INTEGRITY: { readonly uploads: string; readonly streams: string }

/** Bytes that are kept by default. */
const STORE_BYTES = 67_108_864

const part: ObjectsPart = (options, { part: fetchPart, ...host }) => {
  const { storeBytes = STORE_BYTES } = options
  const streams = (): Promise<StreamsPart | undefined> => fetchPart('streams', INTEGRITY.streams)
  const session = shareAmongTabs(() =>
    openSession({
      ...options,
      ...host,
      store: openStore(storeBytes),
      uploads: own =>
        fetchPart<UploadsPart>('uploads', INTEGRITY.uploads).then(open =>
          open?.(options, { ...host, ...own })
        ),
      streams
    })
  )
  return {
    ...session,
    stream: wish => streams().then(open => open?.openStream(session, wish)),
    present: (element, showing) => present(session, element, showing),
    keepShown: (element, fullHash, url) => keepShown(session, element, fullHash, url)
  }
}

const { mayfly } = globalThis as unknown as { mayfly: { parts: Record<string, unknown> } }
mayfly.parts['objects'] = part
