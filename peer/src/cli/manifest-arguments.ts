import { isFullHash } from '@mayfly/common'
import { reasonOf } from '../error.js'
import { endingNamed, typesOf } from '../manifest/file-types.js'
import { baseFrom } from '../manifest/manifest-json.js'
import type { ManifestOptions } from '../manifest/site-manifest-file.js'
import { readArguments, UsageError } from './arguments.js'

/** What makes the folder be looked at; without any of them, a switch alone changes the manifest at once. */
const LOOKING = [
  'base-url',
  'scripts',
  'no-scripts',
  'styles',
  'no-styles',
  'type',
  'no-type',
  'off',
  'on',
  'rehash',
  'pages',
  'no-pages'
] as const

const FLAG = { type: 'boolean' } as const
const TEXT = { type: 'string' } as const
const LIST = { type: 'string', multiple: true } as const

const OPTIONS = {
  'base-url': TEXT,
  output: { ...TEXT, short: 'o' },
  state: TEXT,
  scripts: FLAG,
  'no-scripts': FLAG,
  styles: FLAG,
  'no-styles': FLAG,
  type: LIST,
  'no-type': LIST,
  off: LIST,
  on: LIST,
  revoke: LIST,
  restore: LIST,
  enable: FLAG,
  disable: FLAG,
  rollback: FLAG,
  rehash: FLAG,
  pages: FLAG,
  'no-pages': FLAG
} as const

/** The arguments of `mayfly manifest`. Throws UsageError. */
export function manifestArguments(args: readonly string[]): { folder: string; options: ManifestOptions } {
  const { values, positionals } = readArguments({ args: [...args], allowPositionals: true, options: OPTIONS })
  const folder = oneFolder(positionals)
  const {
    output,
    state,
    off = [],
    on = [],
    revoke = [],
    restore = [],
    rollback = false,
    rehash = false
  } = values
  checkHashes([...revoke, ...restore])
  checkTexts({ output, state, off, on })
  const named = typeArguments(values.type, values['no-type'])
  const looks = LOOKING.some(name => values[name] !== undefined)
  const switches = ['revoke', 'restore', 'enable', 'disable'].some(name => Object.hasOwn(values, name))
  if (rollback && (looks || switches)) throw new UsageError('--rollback goes with no other change')
  return {
    folder,
    options: {
      output,
      state,
      base: baseOf(values['base-url']),
      scripts: either(values, 'scripts', 'no-scripts'),
      styles: either(values, 'styles', 'no-styles'),
      enabled: either(values, 'enable', 'disable'),
      ...named,
      off,
      on,
      revoke,
      restore,
      rollback,
      rehash,
      pages: either(values, 'pages', 'no-pages'),
      switchesOnly: switches && !looks
    }
  }
}

/** What is said of endings. Throws UsageError. */
export function typeArguments(
  types: readonly string[] = [],
  noTypes: readonly string[] = []
): { types: readonly string[]; noTypes: readonly string[] } {
  try {
    typesOf(types)
    for (const ending of noTypes) endingNamed(ending)
    return { types, noTypes }
  } catch (error) {
    throw new UsageError(reasonOf(error))
  }
}

/** The one folder that a command is about. Throws UsageError. */
export function oneFolder([folder, other]: readonly string[]): string {
  if (folder === undefined || folder === '') throw new UsageError('no folder is named')
  if (other !== undefined) throw new UsageError(`one folder at a time, not also ${other}`)
  return folder
}

/** A base, or undefined where none was given. Throws UsageError. */
export function baseOf(text: string | undefined): string | undefined {
  const base = text === undefined ? undefined : baseFrom(text)
  if (text !== undefined && base === undefined)
    throw new UsageError(`not a base: ${text} (a path such as /assets/ or an https URL is expected)`)
  return base
}

/** Patterns of an option, none of them empty. Throws UsageError. */
export function patternsOf(name: string, patterns: readonly string[] = []): readonly string[] {
  checkTexts({ [name]: patterns })
  return patterns
}

function checkHashes(hashes: readonly string[]): void {
  for (const hash of hashes)
    if (!isFullHash(hash))
      throw new UsageError(`not a full hash: ${hash} (64 lowercase hex digits are expected)`)
}

function checkTexts(texts: Readonly<Record<string, string | readonly string[] | undefined>>): void {
  for (const [name, text = 'none'] of Object.entries(texts))
    if (text === '' || (typeof text !== 'string' && text.includes('')))
      throw new UsageError(`--${name} needs a value`)
}

/** True, false, or undefined where neither was said. */
function either<Name extends string>(
  values: { readonly [name in Name]?: unknown },
  yes: Name,
  no: Name
): boolean | undefined {
  if (values[yes] === true && values[no] === true) throw new UsageError(`--${yes} or --${no}, not both`)
  return values[yes] === true ? true : values[no] === true ? false : undefined
}
