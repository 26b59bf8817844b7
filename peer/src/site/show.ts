/** The attribute that has the address of an element of this kind; undefined: such an element shows nothing. */
function attributeOf({ localName }: Element): string | undefined {
  if (/^(link|a)$/.test(localName)) return 'href'
  return /^(img|audio|video|script|source|track)$/.test(localName) ? 'src' : undefined
}

/** What the page, or we, have last given an element to show. */
export function addressIn(element: Element): string {
  return [attributeOf(element) ?? 'src', 'srcset', 'data-mayfly']
    .map(name => element.getAttribute(name))
    .join(' ')
}

/** Gives an element its address, in the attribute that its kind has it in. */
export function show(element: Element, url: string): void {
  const name = attributeOf(element)
  if (!name) return
  element.setAttribute(name, url)
  if (element.localName === 'source') (element.parentElement as Partial<HTMLMediaElement> | null)?.load?.()
}
