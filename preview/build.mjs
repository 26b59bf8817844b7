// Builds the pages' scripts and style, and puts the public bundle of the library beside them: preview/dist/.
// Run by `npm run compile` after the library's own bundles.
import { build } from 'esbuild'
import { copyFile, mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const here = path => fileURLToPath(new URL(path, import.meta.url))

await mkdir(here('dist/'), { recursive: true })
await build({
  // Classic scripts, not modules: browsers do not load modules into pages that were opened as files.
  format: 'iife',
  bundle: true,
  entryPoints: {
    start: here('src/start/page.ts'),
    seeder: here('src/seeder/page.ts'),
    leecher: here('src/leecher/page.ts'),
    preview: here('src/preview.css')
  },
  outdir: here('dist/'),
  target: ['chrome111', 'firefox115', 'safari16.4'],
  charset: 'utf8',
  minify: true,
  sourcemap: 'linked',
  logLevel: 'warning'
})
try {
  await copyFile(here('../peer/dist/bundle/mayfly.js'), here('dist/mayfly.js'))
} catch (error) {
  if (error.code !== 'ENOENT') throw error
  console.error('preview: the library is not built yet, so the pages will say that it is missing')
}
