/** What went wrong, for someone who did not build this: what happened, and what to do about it. */
export interface Trouble {
  readonly happened: string
  readonly remedy: string
  /** Whether trying the same again can help. */
  readonly retry: boolean
}

const TROUBLES: ReadonlyMap<string, Trouble> = new Map([
  [
    'mediator_unreachable',
    {
      happened: 'No mediator answers.',
      remedy:
        'Check the mediator’s address and your connection. It goes on by itself as soon as one answers.',
      retry: true
    }
  ],
  [
    'no_seeder',
    {
      happened: 'Nobody who has this file is here right now.',
      remedy: 'Ask the sender to keep their page open, then try again.',
      retry: true
    }
  ],
  [
    'peers_lost',
    {
      happened: 'The connection to everyone who has this file was lost.',
      remedy: 'Ask the sender to open their page again, then try again.',
      retry: true
    }
  ],
  [
    'wrong_bytes',
    {
      happened: 'What was sent is not the file of this link. It was thrown away.',
      remedy: 'Try again later, or ask the sender for a new link.',
      retry: true
    }
  ],
  [
    'too_large',
    {
      happened: 'The file is larger than the link says, or than this browser can hold.',
      remedy: 'Ask the sender for a new link, or fetch it with the command line.',
      retry: false
    }
  ],
  [
    'store_failed',
    {
      happened: 'This browser could not keep what arrived.',
      remedy: 'Free some space, or leave private browsing, then try again.',
      retry: true
    }
  ],
  [
    'content_changed',
    {
      happened: 'The file was changed, moved or deleted since it was chosen.',
      remedy: 'Choose it again: it gets a new link.',
      retry: false
    }
  ],
  [
    'refused',
    {
      happened: 'The mediator refused.',
      remedy: 'Try again in a moment, or use another mediator.',
      retry: true
    }
  ],
  [
    'closed',
    { happened: 'The connection was closed.', remedy: 'Connect to a mediator and try again.', retry: true }
  ],
  [
    'no_webrtc',
    {
      happened: 'This browser cannot connect to other browsers.',
      remedy: 'WebRTC is missing or switched off: use a current browser, or switch it on.',
      retry: false
    }
  ]
])

/** Nobody was ever connected to, and the reason may be on either side. */
const UNREACHABLE: Trouble = {
  happened: 'Nobody who has this file could be reached.',
  remedy:
    'They may be gone, or one of the two networks keeps browsers apart. Ask the sender to keep their page open, or try another network.',
  retry: true
}

/** Nobody can be connected to from here. */
const NO_NETWORK: Trouble = {
  happened: 'This network, or a setting of this browser, lets it connect to no other browser.',
  remedy:
    'Try another network, such as a phone’s, or switch off the VPN or the extension that keeps WebRTC from the network. The sender need not do anything.',
  retry: true
}

const UNKNOWN: Trouble = {
  happened: 'Something went wrong that should not have.',
  remedy: 'Try again, or reload the page.',
  retry: true
}

/** What is known of a download that failed. */
export interface Circumstances {
  /** Somebody was connected to, and sent some of it. */
  readonly met: boolean
  /** This browser may offer addresses of its own to others. */
  readonly reachable: boolean
}

/** The code of what a call of the library failed with, or undefined where it has none. */
export function codeOf(reason: unknown): unknown {
  return typeof reason === 'object' && reason !== null && 'code' in reason ? reason.code : undefined
}

/** Words for whatever a call of the library failed with. */
export function troubleOf(reason: unknown, circumstances?: Circumstances): Trouble {
  const code = codeOf(reason)
  if (code === 'peers_lost' && circumstances !== undefined) {
    if (!circumstances.reachable) return NO_NETWORK
    if (!circumstances.met) return UNREACHABLE
  }
  return (typeof code === 'string' ? TROUBLES.get(code) : undefined) ?? UNKNOWN
}
