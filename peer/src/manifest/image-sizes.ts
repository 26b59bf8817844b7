import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { SiteManifest } from '../core/site-manifest.js'
import { imageSize, type ImageSize } from './image-size.js'

/** What is before the size of an image in its file, of previews and colour profiles, is less. */
const HEAD_BYTES = 262_144

/** The sizes of the images of a manifest, by path. Files that cannot be read, or say none, have none. */
export async function imageSizes(
  manifestFile: string,
  { files }: SiteManifest
): Promise<ReadonlyMap<string, ImageSize>> {
  const sizes = new Map<string, ImageSize>()
  const head = Buffer.alloc(HEAD_BYTES)
  for (const [path, { type }] of files) {
    if (!type.startsWith('image/')) continue
    const file = await open(join(dirname(manifestFile), path)).catch(() => undefined)
    try {
      const { bytesRead = 0 } = (await file?.read(head, 0, HEAD_BYTES, 0)) ?? {}
      const size = imageSize(head.subarray(0, bytesRead))
      if (size !== undefined) sizes.set(path, size)
    } finally {
      await file?.close()
    }
  }
  return sizes
}
