import { make, write } from '../element.js'
import type { Source } from './ledger.js'

const WORDS: Readonly<Record<Source, string>> = { peer: 'visitors', cache: 'cache', origin: 'the site' }

/** A small label on each object that says where it came from. It lies over the object, or behind a link: nothing moves for it. */
export class Labels {
  readonly #labels = new WeakMap<Element, HTMLElement>()

  /** Says it of an image, a film or a link; says it anew where it has changed. */
  show(element: Element, source: Source): void {
    const label = this.#labels.get(element) ?? this.#addTo(element)
    label.dataset['source'] = source
    write(label.lastElementChild!, WORDS[source])
  }

  #addTo(element: Element): HTMLElement {
    const label = make('span', { class: 'label' }, make('span', { class: 'unseen' }, 'from '), make('span'))
    // A picture holds nothing but what there is to choose from.
    const place = element.parentElement?.matches('picture') ? element.parentElement : element
    place.after(label)
    this.#labels.set(element, label)
    return label
  }
}
