/**
 * Whether a visitor's page may deal with other visitors, and whether that pays. What is not known is undefined.
 */

/** Uploads stop when nobody has looked at the page for so long: a tab forgotten behind others is not in use. */
export const HIDDEN_MS = 300_000
/** Share of a full battery below which nothing is given unless it is being charged. */
const LOW_BATTERY = 0.2
/** Bytes of the part that deals with peers, gzip. */
const CODE_BYTES = 10_000
/** Both directions of a mediator's and two peers' connections: signals, certificates, checks. */
const CONNECT_BYTES = 6_000
/** Of what could come from peers about half does, on a site with few visitors. */
const SHARE = 0.5

/** What a browser says of itself and of its connection, named as in `navigator`. */
export interface DeviceHints {
  readonly userAgent?: string
  readonly userAgentData?: { readonly mobile?: boolean }
  readonly maxTouchPoints?: number
  readonly connection?: {
    /** Only Chromium on Android and ChromeOS tells. */
    readonly type?: string
    readonly metered?: boolean
    readonly effectiveType?: string
    readonly saveData?: boolean
  }
  /** GiB. */
  readonly deviceMemory?: number
  readonly hardwareConcurrency?: number
}

/** What a page knows of the device, its connection, and whether somebody looks. */
export interface DeviceConditions {
  /** There is WebRTC, and WebCrypto, which only secure contexts have. */
  readonly able: unknown
  readonly hints: DeviceHints
  /** The first pointer is a finger, or the screen is a telephone's. */
  readonly touch: boolean
  readonly battery?: { readonly level: number; readonly charging: boolean } | undefined
  /** Milliseconds for which the page has been hidden; 0: it is seen. */
  readonly hiddenMs: number
}

export interface SiteConditions extends DeviceConditions {
  /** `wait`: the site asks first. `stopped`: the visitor does not want it. */
  readonly consent: 'given' | 'wait' | 'stopped'
  /** Bytes of the page that peers could carry: what the browser does not fetch at once. */
  readonly pageBytes: number
  /** Bytes of code that would have to be fetched for it; 0: it is there. Default: all of it. */
  readonly codeBytes?: number | undefined
  /** Peers that the mediator named; undefined: nobody has asked yet. */
  readonly visitors?: number | undefined
}

export type Obstacle =
  /** The visitor stopped it. */
  | 'stopped'
  /** The visitor has not been asked yet. */
  | 'wait'
  /** No WebRTC, no WebCrypto, one core, or less than 1 GiB of memory. */
  | 'device'
  /** The visitor asked for less traffic. */
  | 'saveData'
  /** A connection like 3G or slower: setting up takes longer than fetching. */
  | 'slow'
  /** What peers could carry is less than what they cost. */
  | 'weight'
  /** Nobody is there. */
  | 'alone'
  /** Uploads are paid for, or may be. */
  | 'metered'
  | 'battery'
  /** Nobody has looked at the page for long. */
  | 'hidden'

/** What stands in the way of fetching from peers, and of giving to them; undefined: nothing. */
export interface Obstacles {
  readonly fetch: Obstacle | undefined
  readonly upload: Obstacle | undefined
}

/**
 * Peers pay where half of what they could carry is more than what has to be fetched to ask them: 32 kB while the code is
 * not there, 12 kB when it is. Who is alone may still give: the next visitor finds him.
 */
export function maySharePeers(conditions: SiteConditions): Obstacles {
  const both = obstacleToBoth(conditions)
  const { codeBytes = CODE_BYTES } = conditions
  return {
    fetch:
      both ??
      (!(conditions.pageBytes * SHARE > codeBytes + CONNECT_BYTES)
        ? 'weight'
        : conditions.visitors === 0
          ? 'alone'
          : undefined),
    upload: both ?? obstacleToUpload(conditions)
  }
}

function obstacleToBoth({ consent, able, hints }: SiteConditions): Obstacle | undefined {
  const { connection } = hints
  if (consent !== 'given') return consent
  if (!able || hints.hardwareConcurrency! < 2 || hints.deviceMemory! < 1) return 'device'
  if (connection?.saveData) return 'saveData'
  return /[23]g/.test(connection?.effectiveType as string) ? 'slow' : undefined
}

function obstacleToUpload(conditions: SiteConditions): Obstacle | undefined {
  const { battery } = conditions
  if (isMetered(conditions)) return 'metered'
  if (battery && battery.level < LOW_BATTERY && !battery.charging) return 'battery'
  return conditions.hiddenMs < HIDDEN_MS ? undefined : 'hidden'
}

/**
 * Whether bytes may cost the visitor money. Where the browser cannot tell, phones and tablets count as metered. No
 * Mac has a touch screen: one that has is a tablet of Apple's.
 */
function isMetered({ hints, touch }: DeviceConditions): boolean {
  const { connection } = hints
  // What is undefined matches nothing here.
  const type = connection?.type as string
  const userAgent = hints.userAgent as string
  return (
    /cell|wimax|blue/.test(type) ||
    (connection?.metered ??
      (!/wifi|eth/.test(type) &&
        (touch ||
          !!hints.userAgentData?.mobile ||
          /Android/.test(userAgent) ||
          (/Mac/.test(userAgent) && hints.maxTouchPoints! > 1))))
  )
}
