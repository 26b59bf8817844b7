import { defaultTreeAdapter, html as specification, parse, type DefaultTreeAdapterTypes } from 'parse5'

/** An attribute, and where it is in the text: from its name to the end of its value. */
export interface HtmlAttribute {
  readonly value: string
  readonly start: number
  readonly end: number
}

/** An element of a document that is written in it, with offsets in UTF-16 units. */
export interface HtmlElement {
  /** Lower case. */
  readonly name: string
  readonly attributes: ReadonlyMap<string, HtmlAttribute>
  /** Name of the element around it. */
  readonly parent: string | undefined
  /** Its start tag, from `<` to behind `>`. */
  readonly start: number
  readonly end: number
  /** Where its end tag begins and ends, where it has one. */
  readonly endTag: { readonly start: number; readonly end: number } | undefined
}

/** Most elements of a document: some 300 MB. A few tags that are not closed can make a million of them. */
const MAX_ELEMENTS = 300_000

/** Most elements around one: browsers put what is deeper beside it from 512 on. */
const MAX_DEPTH = 1_024

/** A document that is not looked at, as it would take too much memory or time; the message says why. */
export class HtmlTooLarge extends Error {}

/**
 * The HTML elements of a document, as a browser with scripts reads it, in the order of their tags. Not those of SVG. Throws
 * `HtmlTooLarge`.
 */
export function elementsOf(text: string): HtmlElement[] {
  // A mark of the byte order would be taken for text, and begin the body.
  const shift = text.startsWith('\uFEFF') ? 1 : 0
  const found = new Map<number, HtmlElement>()
  const waiting: { node: Node; parent: string | undefined }[] = [
    {
      node: parse(text.slice(shift), { sourceCodeLocationInfo: true, treeAdapter: boundedTree() }),
      parent: undefined
    }
  ]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, parent } = next
    const name = 'tagName' in node ? node.tagName : undefined
    const element = 'tagName' in node ? elementAt(node, { parent, text, shift }) : undefined
    // Mended nesting repeats an element that is written once.
    if (element !== undefined && !found.has(element.start)) found.set(element.start, element)
    if ('content' in node) waiting.push({ node: node.content, parent: name })
    const children = 'childNodes' in node ? node.childNodes : []
    for (const child of children.toReversed()) waiting.push({ node: child, parent: name })
  }
  return [...found.values()].sort((a, b) => a.start - b.start)
}

/** A tree of nodes that ends with an error where it becomes too large. */
function boundedTree(): typeof defaultTreeAdapter {
  let count = 0
  let depth = 0
  return {
    ...defaultTreeAdapter,
    createElement: (...of) => {
      if (++count > MAX_ELEMENTS) throw new HtmlTooLarge(`it makes more than ${MAX_ELEMENTS} elements`)
      return defaultTreeAdapter.createElement(...of)
    },
    onItemPush: () => {
      if (++depth > MAX_DEPTH) throw new HtmlTooLarge(`its elements are nested more than ${MAX_DEPTH} deep`)
    },
    onItemPop: () => {
      depth--
    }
  }
}

type Node = DefaultTreeAdapterTypes.Node

interface Surroundings {
  readonly parent: string | undefined
  readonly text: string
  readonly shift: number
}

function elementAt(
  { tagName: name, namespaceURI, attrs, sourceCodeLocation: place }: DefaultTreeAdapterTypes.Element,
  { parent, text, shift }: Surroundings
): HtmlElement | undefined {
  if (place === undefined || place === null || namespaceURI !== specification.NS.HTML) return undefined
  const start = place.startOffset + shift
  const end = (place.startTag?.endOffset ?? place.endOffset) + shift
  // Some tags make elements of another name, and some elements have no tag.
  if (text.slice(start, start + name.length + 1).toLowerCase() !== `<${name}`) return undefined
  const attributes = new Map<string, HtmlAttribute>()
  for (const attribute of attrs) {
    const at = place.attrs?.[attribute.name]
    if (at !== undefined) {
      const { value } = attribute
      attributes.set(attribute.name, { value, start: at.startOffset + shift, end: at.endOffset + shift })
    }
  }
  const { endTag } = place
  const closing = endTag && { start: endTag.startOffset + shift, end: endTag.endOffset + shift }
  return { name, attributes, parent, start, end, endTag: closing ?? undefined }
}
