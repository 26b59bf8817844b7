/** The part of the script tag that streams: `mayfly-streams.js`. */
import { openChunks } from './chunks.js'
import type { StreamsPart } from './parts.js'
import { openStream } from './streams.js'

const part: StreamsPart = { openStream, serve: openChunks }

const { mayfly } = globalThis as unknown as { mayfly: { parts: Record<string, unknown> } }
mayfly.parts['streams'] = part
