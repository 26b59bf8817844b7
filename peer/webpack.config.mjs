// Bundles the library for pages: an ES module, a script that defines the global `mayfly`, and the service worker.
import { fileURLToPath } from 'node:url'
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

/** The script tag loads a small adapter of the same port: simple-peer alone is a third of the module. */
const withoutSimplePeer = new webpack.NormalModuleReplacementPlugin(
  /\/page-connector\.js$/,
  './../adapters/native-connector.js'
)

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
    plugins: [compileAtOnce, withoutSimplePeer],
    output: {
      path: path('dist/bundle'),
      filename: 'mayfly.js',
      library: { name: 'mayfly', type: 'var' },
      iife: true
    }
  },
  {
    ...shared,
    name: 'worker',
    target: ['webworker', 'es2022'],
    entry: './dist/page/worker/mayfly-worker.js',
    experiments: {},
    output: { path: path('dist/bundle'), filename: 'mayfly-worker.js', iife: true }
  }
]
