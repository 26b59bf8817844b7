/** What a badge shows, and what it can do. The one who has it calls `onchange`, which the badge sets, when something changed. */
export interface BadgeHost {
  /** Bytes given to other visitors. */
  readonly given: number
  /** Bytes that came from other visitors. */
  readonly received: number
  /** The visitor does not want to share. */
  readonly stopped: boolean
  onchange: (() => void) | null
  stop(): void
  start(): void
  /** Texts in the language of the site. */
  readonly words?: Partial<BadgeWords>
}

export interface BadgeWords {
  /** `$1` bytes given, `$2` bytes received. */
  readonly shared: string
  readonly stopped: string
  readonly stop: string
  readonly start: string
  /** What the badge is, for screen readers. */
  readonly label: string
}

const WORDS: BadgeWords = {
  shared: '$1 given, $2 from other visitors',
  stopped: 'Nothing is shared with other visitors',
  stop: 'Stop sharing',
  start: 'Share again',
  label: 'Sharing with other visitors'
}

const STYLE = `:host{all:initial;position:fixed;inset:auto auto 8px 8px;z-index:99999;color-scheme:light dark}
:host([placed]){position:static;display:block}
div{width:fit-content;max-width:90vw;padding:4px 12px;border:1px solid;border-radius:18px;background:Canvas;color:CanvasText;font:13px system-ui}
button{font:inherit;padding:4px 10px;margin-left:8px}
@media print{:host{display:none}}`

/** "0.4 MB", "12 MB". */
function amount(bytes: number): string {
  const megabytes = bytes / 1e6
  return megabytes < 9.95 ? `${megabytes.toFixed(1)} MB` : `${Math.round(megabytes)} MB`
}

/**
 * Shows in one line what is shared, with a button that stops it for good, and one that starts it again. Without a
 * `place` it floats in a corner; with one it is put there. Nothing moves in the page either way, as long as `place` has
 * room. It lives in a shadow root, and needs no style that a strict content security policy forbids. Gives what takes
 * it away.
 */
export function showBadge(host: BadgeHost, place?: Element | null): () => void {
  const words = { ...WORDS, ...host.words }
  const element = document.createElement('mayfly-badge')
  const root = element.attachShadow({ mode: 'open' })
  const box = document.createElement('div')
  const line = document.createElement('span')
  const button = document.createElement('button')
  try {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(STYLE)
    root.adoptedStyleSheets = [sheet]
  } catch {
    // Older browsers show it plainly.
    element.style.cssText = 'position:fixed;bottom:8px;left:8px'
  }
  box.role = 'group'
  box.ariaLabel = words.label
  button.type = 'button'

  const show = (): void => {
    const { stopped, given, received } = host
    const text = stopped
      ? words.stopped
      : words.shared.replace('$1', amount(given)).replace('$2', amount(received))
    const label = stopped ? words.start : words.stop
    // What does not change is not said again by screen readers.
    if (line.textContent !== text) line.textContent = text
    if (button.textContent !== label) button.textContent = label
  }
  button.onclick = () => {
    // What the visitor did is said; that bytes went by is not.
    line.ariaLive = 'polite'
    if (host.stopped) host.start()
    else host.stop()
    show()
  }
  host.onchange = () => {
    line.ariaLive = 'off'
    show()
  }
  show()
  box.append(line, button)
  root.append(box)
  element.toggleAttribute('placed', !!place)
  ;(place ?? document.body).append(element)
  return () => {
    host.onchange = null
    element.remove()
  }
}
