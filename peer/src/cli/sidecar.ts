import { encodeSidecar } from '@mayfly/common'
import { rename, rm, writeFile } from 'node:fs/promises'
import { fileSource } from '../adapters/file-source.js'
import { nodeHasher } from '../adapters/node-hasher.js'
import { hashContent } from '../hash-content.js'
import { fileTrouble, readArguments, UsageError } from './arguments.js'

/** What a sidecar is called: the name of its file, and this. */
const ENDING = '.mayfly'

/** `mayfly sidecar <file…>`: writes tree hashes beside each file, and prints a line as `hash` does. */
export async function sidecarCommand(args: readonly string[]): Promise<number> {
  const { positionals } = readArguments({ args: [...args], allowPositionals: true, options: {} })
  if (positionals.length === 0) throw new UsageError('no file is named')
  let exitCode = 0
  for (const path of positionals) {
    try {
      const { fullHash, tree } = await hashContent(await fileSource(path), nodeHasher)
      await writeWhole(path + ENDING, encodeSidecar(tree))
      process.stdout.write(`${fullHash}  ${path}\n`)
    } catch (error) {
      process.stderr.write(`mayfly: ${path}: ${fileTrouble(error)}\n`)
      exitCode = 1
    }
  }
  return exitCode
}

/** A web server that serves it meanwhile gives the old one or the new one, never a part. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const part = `${path}.part`
  try {
    await writeFile(part, bytes)
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}
