import { encodeSidecar } from '@mayfly/common'
import { fileSource } from '../adapters/file-source.js'
import { nodeHasher } from '../adapters/node-hasher.js'
import { hashContent } from '../hash-content.js'
import { SIDECAR_ENDING } from '../manifest/hash-files.js'
import { writeWhole } from '../manifest/write-whole.js'
import { fileTrouble, readArguments, UsageError } from './arguments.js'

/** `mayfly sidecar <file…>`: writes tree hashes beside each file, and prints a line as `hash` does. */
export async function sidecarCommand(args: readonly string[]): Promise<number> {
  const { positionals } = readArguments({ args: [...args], allowPositionals: true, options: {} })
  if (positionals.length === 0) throw new UsageError('no file is named')
  let exitCode = 0
  for (const path of positionals) {
    try {
      const { fullHash, tree } = await hashContent(await fileSource(path), nodeHasher)
      await writeWhole(path + SIDECAR_ENDING, encodeSidecar(tree))
      process.stdout.write(`${fullHash}  ${path}\n`)
    } catch (error) {
      process.stderr.write(`mayfly: ${path}: ${fileTrouble(error)}\n`)
      exitCode = 1
    }
  }
  return exitCode
}
