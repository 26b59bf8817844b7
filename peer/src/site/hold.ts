import { attempt } from './attempt.js'

/** Pixels that somebody who looks scrolls from one frame to the next, at most. */
const LOOKING_PX = 24

/**
 * Lets the browser fetch no lazy picture from half a viewport below what is seen on: browsers fetch what would show if the page
 * was scrolled a little, and what is cut off would not. Touches no element; no place changes, and a rule of the page wins. What is
 * returned ends it, as the visitor does who is in haste.
 */
export function holdBack(): () => void {
  const ended = new AbortController()
  const { signal } = ended
  const end = (): void => ended.abort()
  if (document.readyState === 'loading')
    attempt(() => {
      const sheet = new CSSStyleSheet()
      let seen = 0
      const cut = (): void => {
        if (Math.abs(scrollY - seen) > LOOKING_PX) return end()
        seen = scrollY
        sheet.replaceSync(`:where(html){clip-path:inset(-9in -99in calc(100% - 150vh - ${seen}px))}`)
      }
      document.adoptedStyleSheets.push(sheet)
      signal.onabort = () => {
        // A page that has copied the list may put it back later.
        sheet.replaceSync('')
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter(one => one !== sheet)
      }
      cut()
      const listening = { signal, capture: true }
      addEventListener('scroll', cut, listening)
      for (const type of ['keydown', 'beforeprint']) addEventListener(type, end, listening)
    })
  return end
}
