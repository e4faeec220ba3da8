/** Things that are called by a name, as Keras calls them: `glorot_uniform` and `glorotUniform` alike. */
import { ArgumentError } from '../index.js'

/**
 * The thing of that name.
 * @throws ArgumentError for another one
 */
export function named<T>(what: string, name: string, known: Readonly<Record<string, T>>): T {
  const camelCase = String(name).replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
  if (!Object.hasOwn(known, camelCase)) {
    throw new ArgumentError(
      `${what}: expected one of ${Object.keys(known).join(', ')}, got ${name}`,
    )
  }
  return known[camelCase]
}
