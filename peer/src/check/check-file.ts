import { decodeSidecar, FullHashBuilder, MAX_SIDECAR_BYTES } from '@mayfly/common'
import { nodeHasher } from '../adapters/node-hasher.js'
import { addressOf, type SiteFile, type SiteManifest } from '../core/site-manifest.js'
import { boundedFetch, refusalOf, type Answer } from './bounded-fetch.js'
import { isForAll, isIsolated } from './check-parts.js'
import { isShared, type Findings } from './finding.js'
import type { FoundPage } from './found-page.js'

/** Larger files are looked at by a range only. */
const MAX_WHOLE_BYTES = 33_554_432

/** What is asked for of a file, to see whether ranges are answered. */
const RANGE_BYTES = 1_024

/** Files that are worth asking for in ranges: the others come as a whole anyway. */
const RANGES_FROM_BYTES = 65_536

/** A file of a manifest that is compared with what the site has. */
export interface FileToCheck {
  readonly path: string
  readonly file: SiteFile
  readonly manifest: SiteManifest
  readonly page: FoundPage
}

/** What browsers say that they take for an image: servers that send others than asked for go by it. */
const IMAGE_ACCEPT = 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8'

/** The largest file, one of each type, those that a page asks for, and others: at most `count`, the same each time. */
export function sampleOf(
  { files, revoked, off }: SiteManifest,
  count: number,
  asked: ReadonlySet<string> = new Set()
): [string, SiteFile][] {
  const all = [...files].filter(([path, { fullHash }]) => !off.has(path) && !revoked.has(fullHash))
  const byLength = all.toSorted(([, a], [, b]) => b.length - a.length)
  const types = new Map(byLength.map(item => [item[1].type, item]))
  const named = all.filter(([path]) => asked.has(path))
  return [...new Set([...byLength.slice(0, 1), ...types.values(), ...named, ...all])].slice(0, count)
}

/** Compares one file with its site. */
export async function checkFile(target: FileToCheck, findings: Findings): Promise<void> {
  const { path, file, manifest, page } = target
  const { origin } = page.url
  const name = JSON.stringify(path)
  const url = new URL(addressOf(manifest, path))
  const headers: Record<string, string> = url.origin === origin ? {} : { Origin: origin }
  const accept = { Accept: file.type.startsWith('image/') ? IMAGE_ACCEPT : '*/*' }
  const isWhole = file.length <= MAX_WHOLE_BYTES
  let whole: Answer | undefined
  if (isWhole) {
    const answer = await boundedFetch(url, { maxBytes: file.length, headers: { ...headers, ...accept } })
    if (typeof answer === 'string') return findings.problem(`${name}: ${answer}`)
    if (!(await isSame({ answer, url, headers }, target, findings))) return
    whole = answer
  }
  if (!isWhole || file.length >= RANGES_FROM_BYTES)
    await checkRange(target, { url, headers, whole }, findings)
  if (file.sidecar !== undefined) await checkSidecar(target, headers, findings)
}

interface Whole {
  readonly answer: Answer
  readonly url: URL
  /** Those that every request has. */
  readonly headers: Readonly<Record<string, string>>
}

async function isSame(whole: Whole, { path, file, page }: FileToCheck, findings: Findings): Promise<boolean> {
  const name = JSON.stringify(path)
  const { answer } = whole
  if (answer.status !== 200) {
    findings.problem(`${name}: ${refusalOf(answer)}`)
    return false
  }
  checkSharing(answer, { name, page }, findings)
  const type = typeOf(answer)
  if (await isFile(answer, file)) {
    // Servers have several names for one type; what matters is that an image is none of a page.
    if (kindOf(type) !== kindOf(file.type))
      findings.note(`${name}: the site says ${type || 'no type'}, the manifest ${file.type}`)
    findings.fine(`${name}: ${file.length} bytes, as the manifest says`)
    return true
  }
  const plain = await boundedFetch(whole.url, { maxBytes: file.length, headers: whole.headers })
  if (typeof plain !== 'string' && plain.status === 200 && (await isFile(plain, file)))
    findings.problem(
      `${name}: browsers are sent other bytes than the file has (${type || 'no type'}, by their Accept): something changes it on its way, and visitors cannot bring it; let such files pass as they are, or switch them off`
    )
  else findings.problem(`${name}: ${staleness(answer, file)}`)
  return false
}

async function isFile({ isCut, body }: Answer, { length, fullHash }: SiteFile): Promise<boolean> {
  if (isCut || body.length !== length) return false
  const builder = new FullHashBuilder(nodeHasher)
  await builder.update(body)
  return (await builder.finish()).fullHash === fullHash
}

function staleness({ isCut, body, headers }: Answer, { length }: SiteFile): string {
  const what = isCut ? 'longer' : body.length === length ? 'another' : `shorter, ${body.length} bytes`
  const isChosen = /\baccept\b(?!-)/i.test(headers.get('vary') ?? '')
  const why = isChosen ? ', or something changes it on its way (Vary: Accept)' : ''
  return `what the site has is ${what}: the manifest is stale, \`mayfly manifest\` makes a new one${why}`
}

function typeOf({ headers }: Answer): string {
  return (headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function kindOf(type: string): string {
  return type.split('/', 1)[0] ?? ''
}

function checkSharing(
  answer: Answer,
  { name, page }: { name: string; page: FoundPage },
  findings: Findings
): void {
  const { url, headers } = answer
  const { origin } = page.url
  if (url.origin === origin) return
  if (!isShared(headers, origin))
    findings.problem(`${name}: CORS: ${url.origin} has to send Access-Control-Allow-Origin: ${origin}`)
  if (isIsolated(page) && !isForAll(answer))
    findings.problem(`${name}: COEP: ${url.origin} has to send Cross-Origin-Resource-Policy: cross-origin`)
}

async function checkRange(
  { path, file, page }: FileToCheck,
  { url, headers, whole }: { url: URL; headers: Readonly<Record<string, string>>; whole: Answer | undefined },
  findings: Findings
): Promise<void> {
  const { origin } = page.url
  const name = JSON.stringify(path)
  const last = Math.min(RANGE_BYTES, file.length) - 1
  // As browsers ask for ranges.
  const asked = { ...headers, Range: `bytes=0-${last}`, 'Accept-Encoding': 'identity' }
  const answer = await boundedFetch(url, { maxBytes: last + 1, headers: asked })
  if (typeof answer === 'string') return findings.problem(`${name}: ${answer}`)
  if (whole === undefined) checkSharing(answer, { name, page }, findings)
  const encoding = answer.headers.get('content-encoding') ?? 'identity'
  if (encoding !== 'identity')
    return findings.problem(
      `${name}: Content-Encoding ${encoding} where a range was asked for: no range fits; leave such files as they are`
    )
  if (answer.status === 200) {
    const accepts = answer.headers.get('accept-ranges') ?? 'no Accept-Ranges'
    return findings.problem(
      `${name}: ranges are not answered (200, ${accepts}): only as a whole it can come from the site`
    )
  }
  if (answer.status !== 206) return findings.problem(`${name}: a range is answered with ${answer.status}`)
  const said = answer.headers.get('content-range') ?? 'none'
  if (said !== `bytes 0-${last}/${file.length}`)
    return findings.problem(
      `${name}: Content-Range ${JSON.stringify(said)} instead of bytes 0-${last}/${file.length}: the manifest is stale, or the server wrong`
    )
  if (whole !== undefined && Buffer.compare(answer.body, whole.body.subarray(0, last + 1)) !== 0)
    return findings.problem(`${name}: a range has other bytes than the whole`)
  if (answer.headers.get('accept-ranges') !== 'bytes')
    findings.note(`${name}: ranges are answered, but Accept-Ranges: bytes is missing`)
  const isCross = answer.url.origin !== origin
  const exposed = (answer.headers.get('access-control-expose-headers') ?? '').toLowerCase()
  if (isCross && !/(^|[\s,])(content-range|\*)($|[\s,])/.test(exposed))
    return findings.problem(
      `${name}: CORS: ${answer.url.origin} has to send Access-Control-Expose-Headers: Content-Range`
    )
  findings.fine(`${name}: ranges are answered`)
}

async function checkSidecar(
  { path, file, manifest, page }: FileToCheck,
  headers: Readonly<Record<string, string>>,
  findings: Findings
): Promise<void> {
  const sidecar = file.sidecar ?? ''
  const url = new URL(addressOf(manifest, sidecar))
  const name = JSON.stringify(sidecar)
  const answer = await boundedFetch(url, { maxBytes: MAX_SIDECAR_BYTES, headers })
  if (typeof answer === 'string') return findings.problem(`${name}: ${answer}`)
  if (answer.status !== 200)
    return findings.problem(`${name}: ${refusalOf(answer)}; it belongs beside ${JSON.stringify(path)}`)
  checkSharing(answer, { name, page }, findings)
  const { fullHash, length: maxLength } = file
  if (decodeSidecar(answer.body, { fullHash, hasher: nodeHasher, maxLength }) === undefined)
    return findings.problem(`${name}: it is not the sidecar of ${JSON.stringify(path)}`)
  findings.fine(`${name}: the sidecar fits`)
}
