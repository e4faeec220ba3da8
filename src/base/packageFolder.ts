/**
 * Finds the folder of this package, and other packages. In a bundle the library's code is in the
 * program's file; the package is looked for in the node_modules beside that file then.
 */
import module from 'node:module'
import { dirname, isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MissingPackageError } from './errors.js'

/** Path of this file, or of the bundle that it is in. */
export function ownFile(): string {
  try {
    // A bundle of CommonJS has this name and an empty import.meta. Asked by `typeof`, webpack says that
    // its bundles of modules have it, too. In `node -e` every module sees it as a global, '[eval]'.
    if (isAbsolute(__filename)) return __filename
  } catch {
    // A module has no such name.
  }
  return fileURLToPath(import.meta.url)
}

interface Require {
  // biome-ignore lint/suspicious/noExplicitAny: what a package exports only its user knows
  (name: string): any
  resolve(name: string, options?: { paths: string[] }): string
}

/** A `require` for what is installed, seen from a file; bundlers do not follow it. */
export function requireFrom(file: string): Require {
  // Where `createRequire` is imported by its name webpack bundles what it is asked for.
  return module.createRequire(file)
}

/**
 * The folder of this package, with its addon and its data.
 * @throws MissingPackageError in a bundle that has no such package in a node_modules beside it
 */
export function packageFolder(): string {
  try {
    // By its own name a package finds itself.
    return dirname(requireFrom(ownFile()).resolve('neuroblas/package.json'))
  } catch (error) {
    throw new MissingPackageError(
      'neuroblas: expected its package in node_modules beside the bundle, got none; install it there, ' +
        'best left out of the bundle (esbuild: --packages=external, webpack: externals: ["neuroblas"])',
      { cause: error },
    )
  }
}

/** The file that an installed package begins with; undefined where there is none. */
export function resolvePackage(name: string): string | undefined {
  try {
    return requireFrom(ownFile()).resolve(name)
  } catch {
    return undefined
  }
}
