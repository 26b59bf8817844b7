// Runs webpack: the bundles for pages first, then the loader, which knows their hashes, and the preview pages, which take them.
// Called by scripts/compile.mjs.
import webpack from 'webpack'

const { default: peer, loader } = await import('../peer/webpack.config.mjs')
const { default: preview } = await import('../preview/webpack.config.mjs')

for (const configure of [() => peer, loader, () => preview]) {
  const config = configure()
  const stats = await new Promise((resolve, reject) => {
    webpack(config, (error, result) => (error ? reject(error) : resolve(result)))
  })
  console.error(stats.toString({ preset: 'errors-warnings', assets: true, modules: false, colors: false }))
  if (stats.hasErrors()) process.exit(1)
}
