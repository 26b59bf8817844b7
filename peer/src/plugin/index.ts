/**
 * The manifest of a site, made by the build tool: at the end of each build, of its output folder, by the same function
 * as `mayfly manifest`. `plugin.webpack(…)`, `plugin.vite(…)`, `plugin.rollup(…)`, `plugin.esbuild(…)`.
 *
 * @see docs/SITE.md#build-tools
 */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { createUnplugin, type UnpluginInstance } from 'unplugin'
import { baseFrom } from '../manifest/manifest-json.js'
import { FolderManifests, NAME } from './folder-manifests.js'

/** What the plug-in may be told; the same as the options of `mayfly manifest`. */
export interface PluginOptions {
  /** The folder. Default: where the build tool writes to. */
  readonly folder?: string
  /** The manifest's file. Default: `mayfly-manifest.json` in the folder. */
  readonly output?: string
  /** Where what is remembered is kept. Default: beside the manifest. One elsewhere outlives a build tool that empties its folder. */
  readonly state?: string
  /**
   * Where the folder is on the site: URL path or absolute https URL, with `/` at its end. Default: what the build tool was told, as
   * `base` or `publicPath`, or `/`.
   */
  readonly base?: string
  /** Whether scripts, or styles, may travel. Default: no. */
  readonly scripts?: boolean
  readonly styles?: boolean
  /** Types of endings, as `ext=media/type`. */
  readonly types?: readonly string[]
  /** Patterns of paths that always come from the origin. */
  readonly off?: readonly string[]
  /** Full hashes that never travel. */
  readonly revoke?: readonly string[]
  /** Whether lists of what pages show are written for the HTML in the folder. Default: those that are there stay as they are. */
  readonly pages?: boolean
  /** False: the kill switch. */
  readonly enabled?: boolean
}

/** A folder of a build tool that has one. */
interface Output {
  readonly dir?: string | undefined
  readonly file?: string | undefined
}

const factory: UnpluginInstance<PluginOptions | undefined, false> = createUnplugin(
  (given: PluginOptions | undefined) => {
    const { folder, ...options } = given ?? {}
    const manifests = new FolderManifests(options)
    /** What the build tool was told; a path that is relative to each page has no place on the site. */
    let ownBase: string | undefined
    const takeBase = (text: unknown): void => {
      ownBase = typeof text === 'string' && /^(\/(?!\/)|https:)/.test(text) ? baseFrom(text) : undefined
    }
    const folderOf = ({ dir, file }: Output): string => {
      const place = folder ?? dir ?? (file === undefined ? undefined : dirname(file))
      if (place === undefined)
        throw new Error(`${NAME}: the build has no output folder; name one by \`folder\``)
      return resolve(place)
    }
    /** Makes the manifest. Gives what was left out, a line each. Rejects, so that the build fails, where it cannot. */
    const make = (output: Output): Promise<string[]> => manifests.write(folderOf(output), ownBase)
    // After other plug-ins: what they write is to be in it. Some write when everything is closed.
    const rollup = {
      // Where others are of the same order, the last of the list comes last.
      options<Given extends { readonly plugins?: unknown }>(all: Given): Given | null {
        if (!Array.isArray(all.plugins)) return null
        const isOwn = (one: unknown): boolean => (one as { name?: unknown } | null)?.name === NAME
        const plugins = all.plugins.flat(Infinity) as unknown[]
        return { ...all, plugins: [...plugins.filter(one => !isOwn(one)), ...plugins.filter(isOwn)] }
      },
      writeBundle: {
        order: 'post',
        sequential: true,
        async handler(this: HookContext, output: Output) {
          // What a server runs is nobody's to fetch.
          if (folder === undefined && this.environment?.config?.consumer === 'server') return
          for (const line of await make(output)) this.warn(line)
        }
      },
      closeBundle: {
        order: 'post',
        sequential: true,
        async handler(this: HookContext) {
          for (const line of await manifests.settle()) this.warn(line)
        }
      }
    } as const
    const vite = {
      ...rollup,
      configResolved({ base }: { readonly base: string }): void {
        takeBase(base)
      }
    } as const
    const webpack = (compiler: WebpackLike): void => {
      const last = { name: NAME, stage: Number.MAX_SAFE_INTEGER }
      compiler.hooks.afterEmit.tapPromise(last, async ({ warnings, outputOptions }) => {
        const dir = compiler.outputPath
        takeBase(outputOptions?.publicPath)
        // A development server keeps what it makes in memory.
        if (existsSync(folder ?? dir)) for (const line of await make({ dir })) warnings.push(new Error(line))
      })
      compiler.hooks.done.tapPromise(last, async ({ compilation: { warnings } }) => {
        for (const line of await manifests.settle()) warnings.push(new Error(line))
      })
    }
    return {
      name: NAME,
      enforce: 'post',
      rollup,
      vite,
      rolldown: rollup,
      webpack: compiler => webpack(compiler as unknown as WebpackLike),
      rspack: compiler => webpack(compiler as unknown as WebpackLike),
      esbuild: {
        setup(build) {
          const {
            outdir,
            outfile,
            publicPath,
            absWorkingDir = process.cwd(),
            write = true
          } = build.initialOptions
          takeBase(publicPath)
          const at = (path: string | undefined): string | undefined =>
            path === undefined ? undefined : resolve(absWorkingDir, path)
          build.onEnd(async ({ errors }) => {
            if (!write || errors.length > 0) return {}
            const lines = await make({ dir: at(outdir), file: at(outfile) })
            return { warnings: [...lines, ...(await manifests.settle())].map(text => ({ text })) }
          })
        }
      }
    }
  }
)

export default factory

/** What Rollup and Vite have in common, as far as it is used; the second only Vite. */
interface HookContext {
  warn(text: string): void
  readonly environment?: { readonly config?: { readonly consumer?: string } }
}

/** What webpack and rspack have in common, as far as it is used. */
interface WebpackLike {
  readonly outputPath: string
  readonly hooks: {
    readonly afterEmit: Hook<{ warnings: Error[]; outputOptions?: { publicPath?: unknown } }>
    readonly done: Hook<{ compilation: { warnings: Error[] } }>
  }
}

interface Hook<Value> {
  tapPromise(options: { name: string; stage: number }, act: (value: Value) => Promise<void>): void
}
