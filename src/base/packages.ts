/**
 * Packages that only a few functions need, such as those that draw. They are optional peers of this
 * one, so that nobody has to install them, and are loaded when they are used.
 */
import { MissingPackageError } from './errors.js'

/**
 * Loads packages.
 * @param op what needs them, for the message
 * @throws MissingPackageError with the command that installs those that are missing
 */
export async function loadPackages<Modules extends unknown[]>(
  op: string,
  ...names: { [I in keyof Modules]: string }
): Promise<Modules> {
  const modules = names.map((name) =>
    // Bundlers leave this import to the running program, for they would fail where one is missing.
    import(/* webpackIgnore: true */ /* @vite-ignore */ name).catch((error) => {
      if (!isMissing(error, name)) throw error
      return undefined
    }),
  )
  const loaded = await Promise.all(modules)
  const missing = names.filter((_, i) => loaded[i] === undefined)
  if (missing.length === 0) return loaded as Modules
  throw new MissingPackageError(
    `${op}: expected the npm package${missing.length > 1 ? 's' : ''} ${missing.join(', ')}, ` +
      `got none; \`npm install ${missing.join(' ')}\``,
  )
}

/** Whether this package is missing; one that it needs itself would be another mistake. */
function isMissing({ message }: Error, name: string): boolean {
  // Not by `code`, which is lost where module hooks run in a thread of their own.
  return ['package', 'module'].some((kind) => message.includes(`Cannot find ${kind} '${name}'`))
}
