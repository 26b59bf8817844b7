// Runs webpack: the bundles for pages first, then those that know the hashes of others, the loader last, and the preview pages, which take them.
// Called by scripts/compile.mjs.
import webpack from 'webpack'

const { default: peer, objects, loader } = await import('../peer/webpack.config.mjs')
const { default: preview } = await import('../preview/webpack.config.mjs')

for (const configure of [() => peer, objects, loader, () => preview]) {
  const config = configure()
  const stats = await new Promise((resolve, reject) => {
    webpack(config, (error, result) => (error ? reject(error) : resolve(result)))
  })
  console.error(stats.toString({ preset: 'errors-warnings', assets: true, modules: false, colors: false }))
  if (stats.hasErrors()) process.exit(1)
}
