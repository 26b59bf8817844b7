import { wordsOf } from '../connection.js'
import { make, part, write } from '../element.js'
import { type Session, library } from '../library.js'
import { shortAddress } from '../mediator-address.js'
import { findMediators } from '../settings.js'

void begin()

async function begin(): Promise<void> {
  const { mediators } = await findMediators()
  const mayfly = library()
  const list = part('mediators', HTMLUListElement)
  if (mayfly === undefined) list.append(make('li', {}, 'The library is missing: run "npm run compile".'))
  else list.replaceChildren(...mediators.map(url => rowOf(mayfly.connect([url]), url)))
}

/** One mediator and whether it answers. */
function rowOf(session: Session, url: string): HTMLLIElement {
  const state = make('span', { class: 'figures' })
  const row = make('li', {}, make('span', { class: 'dot' }), make('code', {}, shortAddress(url)), state)
  const show = (): void => {
    const { look } = wordsOf(session.mediator, [url], false)
    row.dataset['look'] = look
    write(state, { good: 'answers', busy: 'connecting…', bad: 'does not answer, trying again…' }[look])
  }
  session.established.catch(() => undefined)
  session.addEventListener('mediator', show)
  show()
  return row
}
