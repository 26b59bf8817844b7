// Bundles the pages' scripts and style, and puts the public bundles of the library beside them: preview/dist/.
import { copyFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const path = relative => fileURLToPath(new URL(relative, import.meta.url))

export default {
  name: 'preview',
  mode: 'production',
  target: ['web', 'es2022'],
  context: path('.'),
  entry: {
    start: './src/start/page.ts',
    seeder: './src/seeder/page.ts',
    leecher: './src/leecher/page.ts',
    preview: './src/preview.css',
    // Beside the other assets of the test site, which are made before (scripts/compile.mjs).
    'shop/site/assets/shop': './src/shop/page.ts'
  },
  // Classic scripts, not modules: browsers do not load modules into pages that were opened as files.
  // Written even where nothing changed: scripts/compiled.mjs tells by their time whether to compile again.
  output: { path: path('dist'), filename: '[name].js', iife: true, charset: true, compareBeforeEmit: false },
  devtool: 'source-map',
  performance: { hints: false },
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  module: {
    rules: [
      { test: /\.ts$/, loader: 'esbuild-loader', options: { target: 'es2022' } },
      { test: /\.css$/, type: 'asset/resource', generator: { filename: '[name][ext]' } }
    ]
  },
  plugins: [
    {
      apply(compiler) {
        // The pages stand on what users get: the bundle of the library as it is, not its sources.
        compiler.hooks.afterEmit.tap('PublicBundle', () => {
          for (const name of ['mayfly-library.js', 'mayfly-worker.js', 'mayfly-relay.js']) {
            copyFileSync(path(`../peer/dist/bundle/${name}`), path(`dist/${name}`))
          }
        })
      }
    }
  ]
}
