// Bundles what pages load: the script tag and its parts, the whole library as a script and as an ES module, and the service
// worker.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import MinimizerPlugin from 'minimizer-webpack-plugin'
import webpack from 'webpack'

const path = relative => fileURLToPath(new URL(relative, import.meta.url))

/**
 * Explicit compile hints (https://v8.dev/blog/explicit-compile-hints): Chromium compiles all functions while it loads
 * the script, on another thread, instead of each when it is first called, while a visitor waits.
 */
const compileAtOnce = new webpack.BannerPlugin({
  banner: '//# allFunctionsCalledOnLoad',
  raw: true,
  // After comments were removed, before source maps are made.
  stage: webpack.Compilation.PROCESS_ASSETS_STAGE_OPTIMIZE_SIZE + 1
})

/** The script has a small adapter of the same port: simple-peer alone is a third of the module. */
const withoutSimplePeer = new webpack.NormalModuleReplacementPlugin(
  /\/page-connector\.js$/,
  './../adapters/native-connector.js'
)

/** Alone, it defines the global `mayfly`; the loader has that name already. */
const nextToLoader = new webpack.BannerPlugin({
  banner: 'globalThis.mayfly ??= mayflyLibrary',
  raw: true,
  footer: true,
  stage: webpack.Compilation.PROCESS_ASSETS_STAGE_OPTIMIZE_SIZE + 1
})

/** What the loader fetches when it is needed; and what two of those fetch. */
const PARTS = ['client', 'badge']
const PARTS_OF_REQUESTS = ['library']
const PARTS_OF_OBJECTS = ['peers', 'uploads', 'streams', 'ahead']

/** What a site's visitors fetch: every byte counts. */
const smallest = new MinimizerPlugin({
  extractComments: false,
  minify: [
    {
      implementation: MinimizerPlugin.terserMinify,
      options: {
        ecma: 2022,
        module: true,
        compress: {
          ecma: 2022,
          passes: 3,
          unsafe_arrows: true,
          pure_getters: true,
          keep_fargs: false,
          unsafe_methods: true
        }
      }
    }
  ]
})

const shared = {
  mode: 'production',
  target: ['web', 'es2022'],
  context: path('.'),
  entry: './dist/page/index.js',
  devtool: 'source-map',
  performance: { hints: false },
  // k-bucket asks for it only to make up an id, which it is given; the package would bring a Buffer along.
  resolve: { alias: { randombytes: false } },
  plugins: [compileAtOnce],
  experiments: { outputModule: true }
}

export default [
  {
    ...shared,
    name: 'module',
    output: { path: path('dist/bundle'), filename: 'mayfly.mjs', library: { type: 'module' }, module: true }
  },
  {
    ...shared,
    name: 'script',
    experiments: {},
    plugins: [compileAtOnce, withoutSimplePeer, nextToLoader],
    output: {
      path: path('dist/bundle'),
      filename: 'mayfly-library.js',
      library: { name: 'mayflyLibrary', type: 'var' },
      iife: true
    }
  },
  ...[...PARTS, ...PARTS_OF_OBJECTS].map(name => site(name, `${name}-part`, [compileAtOnce])),
  // The service worker, and what it imports for the whole library.
  ...['worker', 'relay'].map(name => ({
    ...shared,
    name,
    target: ['webworker', 'es2022'],
    devtool: 'hidden-source-map',
    entry: `./dist/page/worker/mayfly-${name}.js`,
    experiments: {},
    plugins: [],
    optimization: { minimizer: [smallest] },
    output: { path: path('dist/bundle'), filename: `mayfly-${name}.js`, iife: true }
  }))
]

/** A script of a site's visitor. */
function site(name, entry, plugins) {
  return {
    ...shared,
    name,
    entry: `./dist/site/${entry}.js`,
    // Beside it as ever; visitors need not fetch its name.
    devtool: 'hidden-source-map',
    experiments: {},
    plugins,
    optimization: { minimizer: [smallest] },
    output: { path: path('dist/bundle'), filename: `mayfly-${name}.js`, iife: true }
  }
}

/** By name, what a bundle must hash to. */
function integrity(names) {
  const hashes = names.map(name => {
    const digest = createHash('sha256').update(readFileSync(path(`dist/bundle/mayfly-${name}.js`)))
    // All of them begin and end alike: the loader knows that.
    return [name, digest.digest('base64').replace('=', '')]
  })
  return new webpack.DefinePlugin({ INTEGRITY: JSON.stringify(Object.fromEntries(hashes)) })
}

/** Those that know what their parts must hash to, so they are made when these are there. */
export function wholes() {
  return [
    site('objects', 'objects-part', [compileAtOnce, integrity(PARTS_OF_OBJECTS)]),
    site('requests', 'requests-part', [compileAtOnce, integrity(PARTS_OF_REQUESTS)])
  ]
}

/** Made when all others are there. */
export function loader() {
  const { output, ...rest } = site('loader', 'loader', [integrity(['objects', 'requests', ...PARTS])])
  return { ...rest, output: { ...output, filename: 'mayfly.js' } }
}
