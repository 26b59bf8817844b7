import { expect } from 'chai'
import { build as esbuild } from 'esbuild'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build as vite } from 'vite'
import webpack from 'webpack'
import { writeSiteManifest } from '../../src/manifest/site-manifest-file.js'
import plugin, { type PluginOptions } from '../../src/plugin/index.js'
import { bytesOf, Folder } from '../manifest/folder.js'

const OPTIONS: PluginOptions = { base: '/assets/', scripts: true, off: ['off.png'] }

/** What each build tool is given: an entry, and files that are in its output folder already. */
const SITE = {
  'src/entry.js': "import './other.js'\ndocument.title = 'built'\n",
  'src/other.js': 'globalThis.other = 1\n',
  'out/img/a.png': bytesOf(1_000),
  'out/off.png': bytesOf(10),
  'out/film.mp4': bytesOf(300_000)
}

/** Each build tool, writing to `out`. */
const TOOLS: Readonly<Record<string, (root: string, options: PluginOptions) => Promise<unknown>>> = {
  webpack: (root, options) =>
    new Promise((done, fail) => {
      const config: webpack.Configuration = {
        mode: 'none',
        context: root,
        entry: './src/entry.js',
        output: { path: join(root, 'out') },
        plugins: [plugin.webpack(options)]
      }
      webpack(config, (error, stats) => {
        if (error !== null) fail(error)
        else if (stats?.hasErrors() === true) fail(new Error(stats.toString()))
        else done(stats)
      })
    }),
  esbuild: (root, options) =>
    esbuild({
      absWorkingDir: root,
      entryPoints: ['src/entry.js'],
      bundle: true,
      outdir: 'out',
      logLevel: 'silent',
      plugins: [plugin.esbuild(options)]
    }),
  Vite: (root, options) =>
    vite({
      root,
      configFile: false,
      logLevel: 'silent',
      build: {
        outDir: 'out',
        emptyOutDir: false,
        lib: { entry: 'src/entry.js', formats: ['es'], fileName: 'entry' }
      },
      plugins: [plugin.vite(options)]
    })
}

describe('the plug-in', () => {
  let folder: Folder
  beforeEach(async () => (folder = await Folder.of(SITE)))
  afterEach(() => folder.remove())

  for (const [name, build] of Object.entries(TOOLS)) {
    it(`in ${name} gives the manifest that the command line gives`, async () => {
      await build(folder.path, OPTIONS)
      const made = await folder.text('out/mayfly-manifest.json')
      expect(Object.keys((JSON.parse(made) as { files: object }).files)).to.satisfy(
        (paths: string[]) => paths.some(path => /\.m?js$/.test(path)) && paths.includes('img/a.png')
      )
      const own = await Folder.of({})
      await writeSiteManifest(join(folder.path, 'out'), {
        ...OPTIONS,
        output: join(own.path, 'mayfly-manifest.json')
      })
      expect(await own.text()).to.equal(made)
      await own.remove()
    })

    it(`in ${name} fails the build where the manifest cannot be made`, async () => {
      await folder.write({ 'out/.mayfly-manifest.json.state': 'damaged' })
      const outcome = await build(folder.path, OPTIONS).then(
        () => 'built',
        (error: unknown) => String(error)
      )
      expect(outcome).to.contain('it is not a state of a manifest')
      expect(existsSync(join(folder.path, 'out/mayfly-manifest.json'))).to.equal(false)
    })
  }

  it('makes none of a build that writes nothing', async () => {
    await esbuild({
      absWorkingDir: folder.path,
      entryPoints: ['src/entry.js'],
      outdir: 'out',
      write: false,
      plugins: [plugin.esbuild()]
    })
    expect(existsSync(join(folder.path, 'out/mayfly-manifest.json'))).to.equal(false)
  })

  it('needs a folder where the build has none', async () => {
    const build = esbuild({ stdin: { contents: '' }, logLevel: 'silent', plugins: [plugin.esbuild()] })
    expect(String(await build.catch((error: unknown) => error))).to.contain('name one by `folder`')
  })
})
