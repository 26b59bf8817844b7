// Bundles the library for pages: an ES module, and a script that defines the global `mayfly`.
import { fileURLToPath } from 'node:url'

const path = relative => fileURLToPath(new URL(relative, import.meta.url))

const shared = {
  mode: 'production',
  target: ['web', 'es2022'],
  context: path('.'),
  entry: './dist/page/index.js',
  devtool: 'source-map',
  performance: { hints: false },
  // webpack's own TypeScript is not what compiles here.
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
    output: {
      path: path('dist/bundle'),
      filename: 'mayfly.js',
      library: { name: 'mayfly', type: 'var' },
      iife: true
    }
  }
]
