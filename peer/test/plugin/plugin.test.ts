import { expect } from 'chai'
import { build as esbuild } from 'esbuild'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build as vite, type Plugin } from 'vite'
import webpack from 'webpack'
import { readManifest } from '../../src/manifest/manifest-state.js'
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

function webpackBuild(
  root: string,
  plugins: NonNullable<webpack.Configuration['plugins']>,
  publicPath?: string
): Promise<webpack.Stats> {
  return new Promise((done, fail) => {
    const config: webpack.Configuration = {
      mode: 'none',
      context: root,
      entry: './src/entry.js',
      output: { path: join(root, 'out'), ...(publicPath !== undefined && { publicPath }) },
      plugins
    }
    webpack(config, (error, stats) => {
      if (error !== null) fail(error)
      else if (stats === undefined || stats.hasErrors()) fail(new Error(stats?.toString()))
      else done(stats)
    })
  })
}

/** Each build tool, writing to `out`. */
const TOOLS: Readonly<Record<string, (root: string, options: PluginOptions) => Promise<unknown>>> = {
  webpack: (root, options) => webpackBuild(root, [plugin.webpack(options)]),
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

  it('writes lists of what pages show where it is asked to', async () => {
    await folder.write({ 'out/index.html': '<!doctype html><img src="img/a.png">' })
    await TOOLS['esbuild']?.(folder.path, { ...OPTIONS, base: '/', pages: true })
    expect(await folder.text('out/mayfly-pages/index.json')).to.equal('["img/a.png"]')
    expect(await folder.text('out/mayfly-manifest.json')).to.include('"mayfly-pages/index.json"')
  })

  /** Changes a file when everything is closed, as optimizers and compressors do. */
  const optimizer = (): Plugin => ({
    name: 'optimizer',
    enforce: 'post',
    closeBundle: {
      order: 'post',
      sequential: true,
      handler: () => writeFile(join(folder.path, 'out/img/a.png'), bytesOf(900, 2))
    }
  })
  const viteBuild = (plugins: Plugin[], base?: string, ssr?: string): Promise<unknown> =>
    vite({
      root: folder.path,
      configFile: false,
      logLevel: 'silent',
      ...(base !== undefined && { base }),
      build: {
        outDir: 'out',
        emptyOutDir: false,
        ...(ssr === undefined ? { rolldownOptions: { input: 'src/entry.js' } } : { ssr })
      },
      plugins
    })
  const own = (options?: PluginOptions): Plugin => plugin.vite(options) as Plugin
  const lengthIn = async (): Promise<unknown> =>
    (await readManifest(join(folder.path, 'out/mayfly-manifest.json')))?.files.get('img/a.png')?.length

  for (const [where, order] of [
    ['before', (mine: Plugin) => [optimizer(), mine]],
    ['after', (mine: Plugin) => [mine, optimizer()]]
  ] as const)
    it(`in Vite names what an optimizer has left that is listed ${where} it`, async () => {
      await viteBuild(order(own()))
      expect(await lengthIn()).to.equal(900)
    })

  for (const hook of ['afterEmit', 'done'] as const)
    it(`in webpack names what an optimizer has left that comes late, in ${hook}`, async () => {
      const late = {
        apply: (compiler: webpack.Compiler) =>
          compiler.hooks[hook].tapPromise({ name: 'late', stage: 5_000 }, () =>
            writeFile(join(folder.path, 'out/img/a.png'), bytesOf(900, 2))
          )
      }
      const stats = await webpackBuild(folder.path, [plugin.webpack(), late])
      expect(await lengthIn()).to.equal(900)
      const said = stats.compilation.warnings.map(({ message }) => message).join()
      expect(said.includes('made again')).to.equal(hook === 'done')
    })

  it('takes the base of the build tool, where it is told none', async () => {
    const base = async (): Promise<unknown> =>
      (JSON.parse(await folder.text('out/mayfly-manifest.json')) as { base: unknown }).base
    for (const [given, expected] of [
      ['/sub/', '/sub/'],
      ['https://cdn.example/x/', 'https://cdn.example/x/'],
      // Relative to each page: it is where it was.
      ['./', 'https://cdn.example/x/']
    ] as const) {
      await viteBuild([own()], given)
      expect(await base(), given).to.equal(expected)
    }
    await viteBuild([own({ base: '/own/' })], '/sub/')
    expect(await base()).to.equal('/own/')
    await webpackBuild(folder.path, [plugin.webpack()], '/static/')
    expect(await base()).to.equal('/static/')
    await webpackBuild(folder.path, [plugin.webpack()], 'auto')
    expect(await base()).to.equal('/static/')
  })

  it('makes none of what Vite builds for a server', async () => {
    await viteBuild([own()], '/', 'src/entry.js')
    expect(existsSync(join(folder.path, 'out/mayfly-manifest.json'))).to.equal(false)
  })

  it('fails the process where a file is changed after everything', async () => {
    const run = promisify(execFile)
    const program = (change: string): Promise<{ stderr: string }> =>
      run(process.execPath, ['--conditions=mayfly-src', '--import=tsx', '--input-type=module', '--eval', `
        import { writeFileSync } from 'node:fs'
        import { FolderManifests } from ${JSON.stringify(new URL('../../src/plugin/folder-manifests.ts', import.meta.url).href)}
        const manifests = new FolderManifests({})
        await manifests.write(${JSON.stringify(join(folder.path, 'out'))}, '/')
        await manifests.settle()
        ${change}`], { cwd: fileURLToPath(new URL('../../..', import.meta.url)) }) // prettier-ignore
    expect((await program('')).stderr).to.equal('')
    const failed = await program(
      `writeFileSync(${JSON.stringify(join(folder.path, 'out/img/a.png'))}, 'other')`
    ).catch((error: unknown) => error as { code: number; stderr: string })
    expect(failed).to.deep.include({
      code: 1,
      stderr:
        'mayfly-manifest: changed after the manifest was made: "img/a.png" (1); run `mayfly manifest` last\n'
    })
  })

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
