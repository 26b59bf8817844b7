/**
 * Whether a path fits a pattern: a path itself, a folder with all below it (`img/`), or a glob, where `*` and `?` stay
 * within a name and `**` does not.
 */
export function matcherOf(pattern: string): (path: string) => boolean {
  const source = pattern.endsWith('/') ? `${pattern}**` : pattern
  const expression = source
    .split(/(\*\*\/|\*+|\?)/)
    .map((part, i) => (i % 2 === 1 ? wildcardOf(part) : part.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')))
    .join('')
  const whole = new RegExp(`^${expression}$`, 'u')
  return path => whole.test(path)
}

/** Whether a pattern is but a path, which may also be of a file that is not there. */
export function isPlain(pattern: string): boolean {
  return !/[*?]|\/$/.test(pattern)
}

function wildcardOf(part: string): string {
  if (part === '?') return '[^/]'
  if (part === '**/') return '(?:.*/)?'
  return part === '*' ? '[^/]*' : '.*'
}
