import { wordsOf } from '../connection.js'
import { announce, make, part, write } from '../element.js'
import { countText } from '../figure.js'
import { type Session, library } from '../library.js'
import { shortAddress } from '../mediator-address.js'
import { findMediators } from '../settings.js'

/** How each mediator looks now. */
const looks = new Map<string, string>()

void begin()

async function begin(): Promise<void> {
  const { mediators } = await findMediators()
  const mayfly = library()
  const list = part('mediators', HTMLUListElement)
  if (mayfly === undefined) list.append(make('li', {}, 'The library is missing: run "npm run compile".'))
  else list.replaceChildren(...mediators.map(url => rowOf(mayfly.connect([url]), url)))
}

/** Says to those who listen how many answer, as soon as it is known of all. */
function tell(): void {
  const all = [...looks.values()]
  if (all.includes('busy')) return
  announce(`${all.filter(look => look === 'good').length} of ${countText(all.length, 'mediator')} answer`)
}

/** One mediator and whether it answers. */
function rowOf(session: Session, url: string): HTMLLIElement {
  const state = make('span', { class: 'figures' })
  const row = make('li', {}, make('span', { class: 'dot' }), make('code', {}, shortAddress(url)), state)
  const show = (): void => {
    const { look } = wordsOf(session.mediator, [url], false)
    row.dataset['look'] = look
    looks.set(url, look)
    tell()
    write(state, { good: 'answers', busy: 'connecting…', bad: 'does not answer, trying again…' }[look])
  }
  session.established.catch(() => undefined)
  session.addEventListener('mediator', show)
  show()
  return row
}
