// Runs webpack: the library's bundles for pages first, then the preview pages, which take one of them.
// Called by scripts/compile.mjs.
import webpack from 'webpack'

for (const workspace of ['peer', 'preview']) {
  const { default: config } = await import(`../${workspace}/webpack.config.mjs`)
  const stats = await new Promise((resolve, reject) => {
    webpack(config, (error, result) => (error ? reject(error) : resolve(result)))
  })
  console.error(stats.toString({ preset: 'errors-warnings', assets: true, modules: false, colors: false }))
  if (stats.hasErrors()) process.exit(1)
}
