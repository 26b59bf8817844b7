import {
  defaultTreeAdapter,
  html as specification,
  Parser,
  type DefaultTreeAdapterMap,
  type DefaultTreeAdapterTypes
} from 'parse5'

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

/** How much of a document of somebody else is read. */
export interface HtmlLimits {
  /** Elements, comments and texts. */
  readonly nodes: number
  /** Elements around another. */
  readonly depth: number
  /** Milliseconds: what is nested or named in odd ways takes long. */
  readonly ms: number
}

/** What a site's own documents may have: a few tags that are not closed can make a million elements of 300 bytes each. */
const OWN_LIMITS: HtmlLimits = { nodes: 600_000, depth: 1_024, ms: 20_000 }

/** A document that is not looked at, as it would take too much memory or time; the message says why. */
export class HtmlTooLarge extends Error {}

/**
 * The HTML elements of a document, as a browser with scripts reads it, in the order of their tags. Not those of SVG. Throws
 * `HtmlTooLarge`.
 */
export function elementsOf(text: string): HtmlElement[] {
  const { elements, isCut } = firstElementsOf(text, OWN_LIMITS)
  if (isCut) throw new HtmlTooLarge('its elements are too many, or nested too deep')
  return elements
}

/** The same of a document that nobody vouches for: where it goes beyond a limit, what comes after that is left out, and `isCut`. */
export function firstElementsOf(
  text: string,
  limits: HtmlLimits
): { readonly elements: HtmlElement[]; readonly isCut: boolean } {
  const shift = shiftOf(text)
  const { document, isCut } = boundedParse(text.slice(shift), limits)
  return { elements: elementsIn(document, text, shift), isCut }
}

/** Stops the parser. */
class BeyondLimit extends Error {}

/** What is parsed between two looks at the clock, in UTF-16 units. */
const PIECE_LENGTH = 32_768

function boundedParse(text: string, { nodes, depth, ms }: HtmlLimits): { document: Node; isCut: boolean } {
  let left = nodes
  let around = 0
  const count = (): void => {
    if (left-- === 0) throw new BeyondLimit()
  }
  const parser = new Parser<DefaultTreeAdapterMap>({
    sourceCodeLocationInfo: true,
    treeAdapter: {
      ...defaultTreeAdapter,
      createElement: (...of) => (count(), defaultTreeAdapter.createElement(...of)),
      createCommentNode: data => (count(), defaultTreeAdapter.createCommentNode(data)),
      insertText: (parent, data) => (count(), defaultTreeAdapter.insertText(parent, data)),
      onItemPush: () => {
        if (++around > depth) throw new BeyondLimit()
      },
      onItemPop: () => around--
    }
  })
  const deadline = performance.now() + ms
  try {
    for (let at = 0; at < text.length; at += PIECE_LENGTH) {
      if (performance.now() > deadline) throw new BeyondLimit()
      parser.tokenizer.write(text.slice(at, at + PIECE_LENGTH), false)
    }
    parser.tokenizer.write('', true)
  } catch (error) {
    if (!(error instanceof BeyondLimit)) throw error
    return { document: parser.document, isCut: true }
  }
  return { document: parser.document, isCut: false }
}

/** A mark of the byte order would be taken for text, and begin the body. */
function shiftOf(text: string): number {
  return text.startsWith('\uFEFF') ? 1 : 0
}

function elementsIn(document: Node, text: string, shift: number): HtmlElement[] {
  const found = new Map<number, HtmlElement>()
  const waiting: { node: Node; parent: string | undefined }[] = [{ node: document, parent: undefined }]
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
