// Finds a program of this computer, and installs it with the system's package manager where that is allowed.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * A program that tests need.
 * @typedef {object} Wanted
 * @property {string} title how people call it
 * @property {string} variable the environment variable that names it
 * @property {readonly string[]} names of the program on the path
 * @property {(() => readonly string[] | Promise<readonly string[]>)} places where systems put it otherwise
 * @property {readonly { name: string, root: boolean, commands: readonly string[] }[]} installers package managers,
 *   and the command lines that install it with them
 */

/**
 * Its path: what its variable says, else one on the path, else where systems put it. Undefined where there is none.
 * Throws where the variable names nothing.
 * @param {Wanted} wanted
 */
async function findProgram({ variable, names, places }) {
  const named = process.env[variable]
  if (named !== undefined && named !== '') {
    if (isProgram(named)) return named
    throw new Error(`${variable} names no program: ${named}`)
  }
  const onPath = names.map(programOnPath).filter(path => path !== undefined)
  return [...onPath, ...(await places())].find(isProgram)
}

/**
 * Finds it, or installs it. Throws with what to do where neither is possible.
 * @param {Wanted} wanted
 */
export async function ensureProgram(wanted) {
  const { title, variable, installers } = wanted
  const advice = `${title} is missing. Install it, or set ${variable} to its program.`
  const found = await findProgram(wanted)
  if (found !== undefined) return found
  const installer = installers.find(({ name }) => programOnPath(name) !== undefined)
  if (installer === undefined) throw new Error(advice)
  const sudo = installer.root ? sudoFor() : ''
  const lines = installer.commands.map(command => `${sudo ?? 'sudo '}${command}`)
  if (sudo === undefined) throw new Error(`${title} is missing. Install it: ${lines.join(' && ')}`)
  for (const line of lines) {
    console.error(`Installing ${title}: ${line}`)
    const [program, ...args] = line.split(' ')
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const { status } = spawnSync(program, args, { stdio: ['ignore', 2, 2], env })
    if (status !== 0) throw new Error(`${title} is missing, and could not be installed by: ${line}`)
  }
  const installed = await findProgram(wanted)
  if (installed === undefined) throw new Error(advice)
  return installed
}

/** Prints the path of a program, for scripts that are run by themselves. */
export async function printProgram(ensure) {
  try {
    console.log(await ensure())
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}

/** What to put before a command that needs root: nothing, sudo, or undefined where it would ask for a password. */
function sudoFor() {
  if (process.getuid?.() === 0) return ''
  if (programOnPath('sudo') === undefined) return undefined
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? 'sudo -n ' : undefined
}

function programOnPath(name) {
  const ending = process.platform === 'win32' ? '.exe' : ''
  const folders = (process.env.PATH ?? '').split(delimiter).filter(folder => folder !== '')
  return folders.map(folder => join(folder, name + ending)).find(isProgram)
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return existsSync(path)
  } catch {
    return false
  }
}

/** The folders in which Windows keeps programs. */
export function windowsFolders() {
  const { LOCALAPPDATA, PROGRAMFILES, 'PROGRAMFILES(X86)': oldProgramFiles } = process.env
  return [PROGRAMFILES, oldProgramFiles, LOCALAPPDATA].filter(folder => folder !== undefined)
}

/** The folders in which macOS keeps applications. */
export function macFolders() {
  return ['/Applications', join(process.env.HOME ?? '', 'Applications')]
}
