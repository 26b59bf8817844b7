import { decodeSidecar, FullHashBuilder, MAX_SIDECAR_BYTES } from '@mayfly/common'
import { nodeHasher } from '../adapters/node-hasher.js'
import { addressOf, type SiteFile, type SiteManifest } from '../core/site-manifest.js'
import { boundedFetch, type Answer } from './bounded-fetch.js'
import { isShared, type Findings } from './finding.js'

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
  /** Origin of the pages. */
  readonly origin: string
}

/** Files of each type, and the largest: at most `count`, the same each time. */
export function sampleOf({ files, revoked, off }: SiteManifest, count: number): [string, SiteFile][] {
  const all = [...files].filter(([path, { fullHash }]) => !off.has(path) && !revoked.has(fullHash))
  const byLength = all.toSorted(([, a], [, b]) => b.length - a.length)
  const types = new Map(byLength.map(item => [item[1].type, item]))
  return [...new Set([...byLength.slice(0, 1), ...types.values(), ...all])].slice(0, count)
}

/** Compares one file with its site. */
export async function checkFile(target: FileToCheck, findings: Findings): Promise<void> {
  const { path, file, manifest, origin } = target
  const name = JSON.stringify(path)
  const url = new URL(addressOf(manifest, path))
  const headers: Record<string, string> = url.origin === origin ? {} : { Origin: origin }
  const isWhole = file.length <= MAX_WHOLE_BYTES
  let whole: Answer | undefined
  if (isWhole) {
    const answer = await boundedFetch(url, { maxBytes: file.length, headers })
    if (typeof answer === 'string') return findings.problem(`${name}: ${answer}`)
    if (!(await isSame(answer, target, findings))) return
    whole = answer
  }
  if (!isWhole || file.length >= RANGES_FROM_BYTES)
    await checkRange(target, { url, headers, whole }, findings)
  if (file.sidecar !== undefined) await checkSidecar(target, headers, findings)
}

async function isSame(
  answer: Answer,
  { path, file, origin }: FileToCheck,
  findings: Findings
): Promise<boolean> {
  const name = JSON.stringify(path)
  if (answer.status !== 200) {
    findings.problem(`${name}: the site answers ${answer.status}`)
    return false
  }
  checkSharing(answer, { name, origin }, findings)
  const type = (answer.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  // Servers have several names for one type; what matters is that an image is none of a page.
  if (kindOf(type) !== kindOf(file.type))
    findings.note(`${name}: the site says ${type || 'no type'}, the manifest ${file.type}`)
  const builder = new FullHashBuilder(nodeHasher)
  await builder.update(answer.body)
  const { fullHash, length } = await builder.finish()
  if (answer.isCut || length !== file.length || fullHash !== file.fullHash) {
    const what = answer.isCut ? 'longer' : length === file.length ? 'another' : `shorter, ${length} bytes`
    findings.problem(
      `${name}: what the site has is ${what}: the manifest is stale, \`mayfly manifest\` makes a new one`
    )
    return false
  }
  findings.fine(`${name}: ${file.length} bytes, as the manifest says`)
  return true
}

function kindOf(type: string): string {
  return type.split('/', 1)[0] ?? ''
}

function checkSharing(
  { url, headers }: Answer,
  { name, origin }: { name: string; origin: string },
  findings: Findings
): void {
  if (url.origin === origin || isShared(headers, origin)) return
  findings.problem(`${name}: CORS: ${url.origin} has to send Access-Control-Allow-Origin: ${origin}`)
}

async function checkRange(
  { path, file, origin }: FileToCheck,
  { url, headers, whole }: { url: URL; headers: Readonly<Record<string, string>>; whole: Answer | undefined },
  findings: Findings
): Promise<void> {
  const name = JSON.stringify(path)
  const last = Math.min(RANGE_BYTES, file.length) - 1
  // As browsers ask for ranges.
  const asked = { ...headers, Range: `bytes=0-${last}`, 'Accept-Encoding': 'identity' }
  const answer = await boundedFetch(url, { maxBytes: last + 1, headers: asked })
  if (typeof answer === 'string') return findings.problem(`${name}: ${answer}`)
  if (whole === undefined) checkSharing(answer, { name, origin }, findings)
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
  { path, file, manifest, origin }: FileToCheck,
  headers: Readonly<Record<string, string>>,
  findings: Findings
): Promise<void> {
  const sidecar = file.sidecar ?? ''
  const url = new URL(addressOf(manifest, sidecar))
  const name = JSON.stringify(sidecar)
  const answer = await boundedFetch(url, { maxBytes: MAX_SIDECAR_BYTES, headers })
  if (typeof answer === 'string') return findings.problem(`${name}: ${answer}`)
  if (answer.status !== 200)
    return findings.problem(
      `${name}: the site answers ${answer.status}; it belongs beside ${JSON.stringify(path)}`
    )
  checkSharing(answer, { name, origin }, findings)
  const { fullHash, length: maxLength } = file
  if (decodeSidecar(answer.body, { fullHash, hasher: nodeHasher, maxLength }) === undefined)
    return findings.problem(`${name}: it is not the sidecar of ${JSON.stringify(path)}`)
  findings.fine(`${name}: the sidecar fits`)
}
