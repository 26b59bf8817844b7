import { decodeIceServers, type IceServer, type JsonValue } from '@mayfly/common'

/** Mediators whose servers are kept: those that a site names, with some to spare. */
const MAX_MEDIATORS = 8
/** Characters kept of one mediator, its URL included: a dozen servers. */
const MAX_ENTRY_LENGTH = 2_048
const MAX_TEXT_LENGTH = MAX_MEDIATORS * (MAX_ENTRY_LENGTH + 1) + 2

type Entry = readonly [url: string, iceServers: readonly IceServer[]]

/**
 * What mediators offered for ICE on the last visit, as one text: at most `MAX_MEDIATORS` of `MAX_ENTRY_LENGTH`
 * characters, the latest first. Any text can be given: what has not the form is taken as nothing.
 */
export function readIceNote(text: string | undefined, url: string): readonly IceServer[] | undefined {
  return entriesOf(text).find(([known]) => known === url)?.[1]
}

/**
 * The text with what `url` offers now; undefined: nothing is left to keep. Servers with a credential are not kept:
 * those are mostly made for one visit, and belong on no disk.
 */
export function writeIceNote(
  text: string | undefined,
  url: string,
  iceServers: readonly IceServer[]
): string | undefined {
  const others = entriesOf(text).filter(([known]) => known !== url)
  const entry: Entry = [url, iceServers]
  const isKept =
    iceServers.length > 0 &&
    iceServers.every(({ credential }) => credential === undefined) &&
    JSON.stringify(entry).length <= MAX_ENTRY_LENGTH
  const entries = isKept ? [entry, ...others].slice(0, MAX_MEDIATORS) : others
  return entries.length === 0 ? undefined : JSON.stringify(entries)
}

function entriesOf(text: string | undefined): Entry[] {
  if (text === undefined || text.length > MAX_TEXT_LENGTH) return []
  let value: JsonValue
  try {
    value = JSON.parse(text) as JsonValue
  } catch {
    return []
  }
  return Array.isArray(value) ? value.slice(0, MAX_MEDIATORS).flatMap(entryOf) : []
}

function entryOf(value: JsonValue): Entry[] {
  if (!Array.isArray(value)) return []
  const [url, servers = null] = value
  const iceServers = decodeIceServers(servers)
  return typeof url === 'string' && iceServers !== undefined ? [[url, iceServers]] : []
}
