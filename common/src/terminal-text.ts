/** What a terminal obeys, or shows in another order or place than it is written. */
const OBEYED =
  // oxlint-disable-next-line no-control-regex -- control characters are what is being looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]/g

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * A text of others for a line on a terminal: what a terminal obeys is written as JSON writes it, so that it stays one line
 * and does nothing. JSON stays the same JSON.
 */
export function terminalText(text: string): string {
  return text.replace(OBEYED, mark => SHORT[mark] ?? `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
