import { HIDDEN_MS, type DeviceConditions, type DeviceHints } from '../core/site-worth.js'

type Battery = EventTarget & { readonly level: number; readonly charging: boolean }

/** What only some browsers have. */
interface Hints extends DeviceHints {
  readonly connection?: EventTarget & NonNullable<DeviceHints['connection']>
  readonly getBattery?: () => Promise<Battery>
}

/**
 * Looks at the conditions of a page, without asking anybody anything; what is returned gives them as they are at that
 * moment. `onchange` is called when one of them may have changed, and when the page has been hidden for `HIDDEN_MS`. The
 * battery is known a moment later than the rest. Nothing here throws.
 */
export function watchConditions(onchange: () => void): () => DeviceConditions {
  const hints = navigator as Omit<Navigator, keyof Hints> & Hints
  let battery: Battery | undefined
  let hiddenAt = 0

  const look = (): void => {
    hiddenAt = document.hidden ? hiddenAt || Date.now() : 0
    setTimeout(onchange, HIDDEN_MS + 1_000)
  }
  const listen = (target: EventTarget | undefined, type: string): void =>
    target?.addEventListener?.(type, onchange)

  look()
  document.addEventListener('visibilitychange', look)
  listen(document, 'visibilitychange')
  listen(hints.connection, 'change')
  void (async () => {
    try {
      battery = await hints.getBattery?.()
      listen(battery, 'levelchange')
      listen(battery, 'chargingchange')
      onchange()
    } catch {
      // A site's policy may forbid it.
    }
  })()

  return () => ({
    // Who is in a sandbox may not even fetch the parts.
    able: self.RTCPeerConnection && crypto.subtle && origin !== 'null',
    hints,
    touch: matchMedia('(pointer:coarse),(max-device-width:600px)').matches,
    battery,
    hiddenMs: hiddenAt && Date.now() - hiddenAt
  })
}
