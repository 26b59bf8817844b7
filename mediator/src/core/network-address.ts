/**
 * The network that an address counts as: an IPv4 address itself, an IPv6 address's /64. An IPv4 address
 * mapped into IPv6 is that IPv4 address. Text that is no address is a network of its own.
 */
export function networkOf(address: string): string {
  const plain = withoutZone(address).toLowerCase()
  if (!plain.includes(':')) return plain
  const groups = expand(plain)
  if (groups === undefined) return plain
  if (groups.slice(0, 5).every(group => group === 0) && groups[5] === 0xffff) {
    return [groups[6], groups[7]].map(group => `${(group ?? 0) >> 8}.${(group ?? 0) & 255}`).join('.')
  }
  return `${groups
    .slice(0, 4)
    .map(group => group.toString(16))
    .join(':')}::/64`
}

/** 127.0.0.0/8 and ::1, also mapped. */
export function isLoopback(address: string): boolean {
  const plain = withoutZone(address).toLowerCase()
  if (plain.includes(':') && expand(plain)?.every((group, i) => group === (i === 7 ? 1 : 0))) return true
  return /^127\.\d+\.\d+\.\d+$/.test(networkOf(plain))
}

function withoutZone(address: string): string {
  return address.split('%')[0] ?? address
}

/** The eight groups of an IPv6 address, or `undefined` where it is none. */
function expand(address: string): number[] | undefined {
  const hex = address.replace(/\d+\.\d+\.\d+\.\d+$/, dotted => {
    const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number)
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const halves = hex.split('::')
  if (halves.length > 2) return undefined
  const [head = [], tail = []] = halves.map(half => (half === '' ? [] : half.split(':')))
  const missing = halves.length === 2 ? 8 - head.length - tail.length : 0
  if (missing < 0) return undefined
  const groups = [...head, ...new Array<string>(missing).fill('0'), ...tail]
  if (groups.length !== 8 || !groups.every(group => /^[0-9a-f]{1,4}$/.test(group))) return undefined
  return groups.map(group => Number.parseInt(group, 16))
}
