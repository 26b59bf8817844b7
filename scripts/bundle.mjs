// Runs webpack on every configuration of the workspaces. Called by scripts/compile.mjs.
import { existsSync } from 'node:fs'
import webpack from 'webpack'

const configs = []
for (const workspace of ['peer', 'preview']) {
  const file = new URL(`../${workspace}/webpack.config.mjs`, import.meta.url)
  if (existsSync(file)) configs.push(...[(await import(file.href)).default].flat())
}

webpack(configs, (error, stats) => {
  if (error) throw error
  if (stats.hasErrors()) process.exitCode = 1
  console.error(stats.toString({ preset: 'errors-warnings', assets: true, modules: false, colors: false }))
})
