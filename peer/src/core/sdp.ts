/** Chromium's longest line, the candidate of a relay, has about 200 characters. */
const MAX_LINE_LENGTH = 1_024
const LINE = /^[a-z]=[\x20-\x7e]*$/
const DATA_CHANNEL = /^m=application \d{1,5} (UDP\/|TCP\/)?DTLS\/SCTP [\x21-\x7e]+$/
/** Without these no platform connects, and some read past what is missing. */
const NEEDED = ['a=ice-ufrag:', 'a=ice-pwd:', 'a=fingerprint:']

/** Says that there is a second data channel, for control messages. Platforms that read it would skip it. */
const CONTROL_MARK = 'a=mayfly-control:1'

export function withControlMark(sdp: string): string {
  return `${sdp}${CONTROL_MARK}\r\n`
}

export function hasControlMark(sdp: string): boolean {
  return sdp.split(/\r?\n/).includes(CONTROL_MARK)
}

/** What is given to a platform. */
export function withoutControlMark(sdp: string): string {
  return sdp.replace(`${CONTROL_MARK}\r\n`, '')
}

/**
 * Whether `sdp` describes exactly one data channel transport and nothing else, in lines that every
 * platform's parser can take. The caller has bounded its length.
 */
export function isDataChannelSdp(sdp: string, maxCandidates: number): boolean {
  const lines = sdp.split(/\r?\n/)
  if (lines[lines.length - 1] === '') lines.pop()
  if (lines[0] !== 'v=0') return false
  if (!lines.every(line => line.length <= MAX_LINE_LENGTH && LINE.test(line))) return false
  const media = lines.filter(line => line.startsWith('m='))
  if (media.length !== 1 || !media.every(line => DATA_CHANNEL.test(line))) return false
  if (!NEEDED.every(start => lines.some(line => line.startsWith(start)))) return false
  return lines.filter(line => line.startsWith('a=candidate:')).length <= maxCandidates
}
