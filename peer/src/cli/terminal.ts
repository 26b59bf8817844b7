import { terminalText } from '@mayfly/common'

/** One line on standard error, whatever others have put into it. */
export function say(text: string): void {
  process.stderr.write(`mayfly: ${terminalText(text)}\n`)
}

/** One line on standard output, whatever others have put into it. */
export function print(text: string): void {
  process.stdout.write(`${terminalText(text)}\n`)
}

/**
 * A full hash and its file, as `sha256sum` writes them: where the name has a backslash or what a terminal obeys, that is
 * escaped, and the line begins with a backslash.
 */
export function hashLine(fullHash: string, path: string): string {
  const name = terminalText(path.replaceAll('\\', '\\\\'))
  return `${name === path ? '' : '\\'}${fullHash}  ${name}`
}
