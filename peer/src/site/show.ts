/** Gives an element its address: the attribute that its kind has it in. False: such an element shows nothing. */
export function show(element: Element, url: string): boolean {
  const name = ATTRIBUTE[element.localName]
  if (name === undefined) return false
  element.setAttribute(name, url)
  if (element.localName === 'source') (element.parentElement as Partial<HTMLMediaElement> | null)?.load?.()
  return true
}

const ATTRIBUTE: Readonly<Record<string, string>> = {
  img: 'src',
  audio: 'src',
  video: 'src',
  script: 'src',
  source: 'src',
  track: 'src',
  link: 'href',
  a: 'href'
}
