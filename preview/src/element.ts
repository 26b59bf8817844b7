/** Building of page parts without markup: outside data never becomes more than text. */

/** Makes an element with attributes and children. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/** A button that does something. */
export function button(text: string, onPress: () => void, attributes: Readonly<Record<string, string>> = {}) {
  const element = make('button', { type: 'button', ...attributes }, text)
  element.addEventListener('click', onPress)
  return element
}

/** The element of the page with this id. Throws where page and script do not fit together. */
export function part<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const element = document.getElementById(id)
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} "${id}"`)
  return element
}

/** Writes a text only where it changes, so that nothing is read out twice. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** Says something to those who listen to the page. */
export function announce(text: string): void {
  write(part('announcer', HTMLElement), text)
}

/** A button that copies what `text` gives at that time, and says so for a moment. */
export function copyButton(label: string, text: () => string, subject: string): HTMLButtonElement {
  const element = button(label, () => {
    void copy(text()).then(done => {
      write(element, done ? 'Copied' : 'Press Ctrl+C')
      announce(done ? `${subject} copied` : `${subject} could not be copied`)
      setTimeout(() => write(element, label), 1600)
    })
  })
  if (label === 'Copy') element.setAttribute('aria-label', `Copy ${subject.toLowerCase()}`)
  return element
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelection(text)
  }
}

/** For pages on plain http, which have no clipboard interface. */
function copyBySelection(text: string): boolean {
  const field = make('textarea', { class: 'unseen', 'aria-hidden': 'true', tabindex: '-1' })
  const focused = document.activeElement
  field.value = text
  document.body.append(field)
  field.select()
  const done = document.execCommand('copy')
  field.remove()
  if (focused instanceof HTMLElement) focused.focus()
  return done
}
