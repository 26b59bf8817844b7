/** Gives an element its address, in the attribute that its kind has it in. False: such an element shows nothing. */
export function show(element: Element, url: string): boolean {
  const { localName, parentElement } = element
  if (!/^(img|audio|video|script|source|track|link|a)$/.test(localName)) return false
  element.setAttribute(/^l|^a$/.test(localName) ? 'href' : 'src', url)
  if (localName === 'source') (parentElement as Partial<HTMLMediaElement> | null)?.load?.()
  return true
}
