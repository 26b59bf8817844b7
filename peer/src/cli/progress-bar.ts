import type { DownloadProgress } from '../api.js'

const WIDTH = 20

/** Columns of a terminal that does not say how many it has. */
const USUAL_COLUMNS = 80

/** One line that says how far a download is, at most `columns` wide. */
export function progressLine(progress: DownloadProgress, columns: number): string {
  return text(progress).slice(0, (columns > 0 ? columns : USUAL_COLUMNS) - 1)
}

function text({
  state,
  length,
  verifiedBytes,
  bytesPerSecond,
  secondsLeft,
  peers
}: DownloadProgress): string {
  if (length === undefined) return state === 'searching' ? 'looking for peers …' : 'connecting …'
  const share = length === 0 ? 1 : verifiedBytes / length
  const connected = peers.filter(peer => peer.state === 'connected').length
  const left = secondsLeft === undefined || share === 1 ? '' : ` · ${duration(secondsLeft)} left`
  const from = `${connected} ${connected === 1 ? 'peer' : 'peers'}`
  return `${bar(share)} · ${megabytes(verifiedBytes)} of ${megabytes(length)} MB · ${megabytes(bytesPerSecond)} MB/s · ${from}${left}`
}

/** One line that says how much of what is hashed is done, at most `columns` wide. */
export function hashingLine(bytes: number, total: number, columns: number): string {
  const share = total === 0 ? 1 : bytes / total
  const line = `${bar(share)} · ${megabytes(bytes)} of ${megabytes(total)} MB hashed`
  return line.slice(0, (columns > 0 ? columns : USUAL_COLUMNS) - 1)
}

function bar(share: number): string {
  return `${'█'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '░')} ${Math.floor(share * 100)} %`
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}
