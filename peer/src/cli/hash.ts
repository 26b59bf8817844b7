import { fileSource } from '../adapters/file-source.js'
import { nodeHasher } from '../adapters/node-hasher.js'
import { hashContent } from '../hash-content.js'
import { fileTrouble, readArguments, UsageError } from './arguments.js'
import { hashLine, print, say } from './terminal.js'

/** `mayfly hash <file…>`: a line per file, as `sha256sum` writes it. Gives the exit code. */
export async function hashCommand(args: readonly string[]): Promise<number> {
  const { positionals } = readArguments({ args: [...args], allowPositionals: true, options: {} })
  if (positionals.length === 0) throw new UsageError('no file is named')
  let exitCode = 0
  for (const path of positionals) {
    try {
      const { fullHash } = await hashContent(await fileSource(path), nodeHasher)
      print(hashLine(fullHash, path))
    } catch (error) {
      say(`${path}: ${fileTrouble(error)}`)
      exitCode = 1
    }
  }
  return exitCode
}
