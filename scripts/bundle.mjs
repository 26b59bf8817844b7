// Runs webpack, for `peer`: the bundles for pages first, then those that know the hashes of others, the loader last; or for `preview`: its
// pages, which take them, and a script into the test site, which is made before. Called by scripts/compile.mjs.
import webpack from 'webpack'

const configurations = {
  peer: async () => {
    const { default: parts, wholes, loader } = await import('../peer/webpack.config.mjs')
    return [() => parts, wholes, loader]
  },
  preview: async () => {
    const { default: pages } = await import('../preview/webpack.config.mjs')
    return [() => pages]
  }
}

for (const configure of await configurations[process.argv[2]]()) {
  const config = configure()
  const stats = await new Promise((resolve, reject) => {
    webpack(config, (error, result) => (error ? reject(error) : resolve(result)))
  })
  // What is fine is not told: who compiles wants to know what is not.
  if (stats.hasErrors() || stats.hasWarnings())
    console.error(stats.toString({ preset: 'errors-warnings', colors: false }))
  if (stats.hasErrors()) process.exit(1)
}
