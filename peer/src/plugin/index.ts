/**
 * The manifest of a site, made by the build tool: at the end of each build, of its output folder, by the same function
 * as `mayfly manifest`. `plugin.webpack(…)`, `plugin.vite(…)`, `plugin.rollup(…)`, `plugin.esbuild(…)`.
 *
 * @see docs/SITE.md#build-tools
 */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { createUnplugin, type UnpluginInstance } from 'unplugin'
import { writeSiteManifest } from '../manifest/site-manifest-file.js'

/** What the plug-in may be told; the same as the options of `mayfly manifest`. */
export interface PluginOptions {
  /** The folder. Default: where the build tool writes to. */
  readonly folder?: string
  /** The manifest's file. Default: `mayfly-manifest.json` in the folder. */
  readonly output?: string
  /** Where what is remembered is kept. Default: beside the manifest. One elsewhere outlives a build tool that empties its folder. */
  readonly state?: string
  /** Where the folder is on the site: URL path or absolute https URL, with `/` at its end. Default: `/`. */
  readonly base?: string
  /** Whether scripts, or styles, may travel. Default: no. */
  readonly scripts?: boolean
  readonly styles?: boolean
  /** Patterns of paths that always come from the origin. */
  readonly off?: readonly string[]
  /** Full hashes that never travel. */
  readonly revoke?: readonly string[]
  /** False: the kill switch. */
  readonly enabled?: boolean
}

const NAME = 'mayfly-manifest'

/** A folder of a build tool that has one. */
interface Output {
  readonly dir?: string | undefined
  readonly file?: string | undefined
}

const factory: UnpluginInstance<PluginOptions | undefined, false> = createUnplugin(
  (given: PluginOptions | undefined) => {
    const { folder, ...options } = given ?? {}
    /** Makes the manifest. Gives what was left out, a line each. Rejects, so that the build fails, where it cannot. */
    const make = async ({ dir, file }: Output): Promise<string[]> => {
      const place = folder ?? dir ?? (file === undefined ? undefined : dirname(file))
      if (place === undefined)
        throw new Error(`${NAME}: the build has no output folder; name one by \`folder\``)
      const leftOut: string[] = []
      await writeSiteManifest(resolve(place), {
        ...options,
        onleftout: ({ path, reason }) =>
          leftOut.push(`${NAME}: ${JSON.stringify(path)} is left out: ${reason}`)
      }).catch((error: unknown) => {
        throw new Error(`${NAME}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error
        })
      })
      return leftOut
    }
    // After other plug-ins: what they write is to be in it.
    const rollup = {
      writeBundle: {
        order: 'post',
        sequential: true,
        async handler(this: { warn(text: string): void }, output: Output) {
          for (const line of await make(output)) this.warn(line)
        }
      }
    } as const
    const webpack = (compiler: WebpackLike): void => {
      compiler.hooks.afterEmit.tapPromise({ name: NAME, stage: 1_000 }, async ({ warnings }) => {
        const dir = compiler.outputPath
        // A development server keeps what it makes in memory.
        if (existsSync(folder ?? dir)) for (const line of await make({ dir })) warnings.push(new Error(line))
      })
    }
    return {
      name: NAME,
      enforce: 'post',
      rollup,
      vite: rollup,
      rolldown: rollup,
      webpack: compiler => webpack(compiler as unknown as WebpackLike),
      rspack: compiler => webpack(compiler as unknown as WebpackLike),
      esbuild: {
        setup(build) {
          const { outdir, outfile, absWorkingDir = process.cwd(), write = true } = build.initialOptions
          const at = (path: string | undefined): string | undefined =>
            path === undefined ? undefined : resolve(absWorkingDir, path)
          build.onEnd(async ({ errors }) => {
            if (!write || errors.length > 0) return {}
            const lines = await make({ dir: at(outdir), file: at(outfile) })
            return { warnings: lines.map(text => ({ text })) }
          })
        }
      }
    }
  }
)

export default factory

/** What webpack and rspack have in common, as far as it is used. */
interface WebpackLike {
  readonly outputPath: string
  readonly hooks: {
    readonly afterEmit: {
      tapPromise(
        options: { name: string; stage: number },
        act: (compilation: { warnings: Error[] }) => Promise<void>
      ): void
    }
  }
}
