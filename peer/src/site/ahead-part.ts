/** The part of the script tag that brings what the next page shows: `mayfly-ahead.js`. */
import { openAhead } from './ahead.js'
import type { PartsScope } from './parts.js'

;(globalThis as unknown as PartsScope).mayfly.parts['ahead'] = openAhead
