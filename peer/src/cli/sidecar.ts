import { encodeSidecar } from '@mayfly/common'
import { fileSource } from '../adapters/file-source.js'
import { nodeHasher } from '../adapters/node-hasher.js'
import { hashContent } from '../hash-content.js'
import { SIDECAR_ENDING } from '../manifest/hash-files.js'
import { writeWhole } from '../manifest/write-whole.js'
import { fileTrouble, readArguments, UsageError } from './arguments.js'
import { checkOutput } from './output-file.js'
import { hashLine, print, say } from './terminal.js'

/** `mayfly sidecar <file…>`: writes tree hashes beside each file, and prints a line as `hash` does. */
export async function sidecarCommand(args: readonly string[]): Promise<number> {
  const { positionals } = readArguments({ args: [...args], allowPositionals: true, options: {} })
  if (positionals.length === 0) throw new UsageError('no file is named')
  let exitCode = 0
  for (const path of positionals) {
    try {
      const source = await fileSource(path)
      await checkOutput(path + SIDECAR_ENDING)
      const { fullHash, tree } = await hashContent(source, nodeHasher)
      await writeWhole(path + SIDECAR_ENDING, encodeSidecar(tree))
      print(hashLine(fullHash, path))
    } catch (error) {
      say(`${path}: ${fileTrouble(error)}`)
      exitCode = 1
    }
  }
  return exitCode
}
