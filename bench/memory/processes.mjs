import { readdirSync, readFileSync } from 'node:fs'

/** The process of Chromium that was started with a folder of its own. Throws where there is none. */
export function browserProcess(userDataDir) {
  const wanted = `--user-data-dir=${userDataDir}`
  const found = pids().find(pid => {
    const args = textOf(pid, 'cmdline').split('\0')
    return args.includes(wanted) && !args.some(arg => arg.startsWith('--type='))
  })
  if (found === undefined) throw new Error('the process of Chromium is not to be found')
  return found
}

/** Bytes that a process and all below it take of the memory; what several share is divided among them. */
export function proportionalBytes(root) {
  const children = pidsByParent()
  let sum = 0
  const waiting = [root]
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    const kibibytes = /^Pss:\s+(\d+) kB$/m.exec(textOf(pid, 'smaps_rollup'))?.[1] ?? 0
    sum += Number(kibibytes) * 1024
    waiting.push(...(children.get(pid) ?? []))
  }
  return sum
}

function pidsByParent() {
  const children = new Map()
  for (const pid of pids()) {
    const parent = parentOf(pid)
    if (children.has(parent)) children.get(parent).push(pid)
    else children.set(parent, [pid])
  }
  return children
}

function parentOf(pid) {
  return Number(textOf(pid, 'stat').split(') ').at(-1).split(' ')[1])
}

function pids() {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
}

/** Nothing where the process has just ended. */
function textOf(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
