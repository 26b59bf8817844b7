import { readFileSync } from 'node:fs'

/** Ticks per second in /proc, the same on every Linux. */
const TICKS = 100

/** Seconds of CPU that a process has used in all its threads. */
export function cpuSecondsOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}
