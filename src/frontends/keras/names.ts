/** Finds things by their names, in camelCase or in Keras's snake_case. */
import { ArgumentError } from '../../index.js'
import { spelled } from '../../internal.js'

type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : Name

/** Names in camelCase, and the same in snake_case. */
export type Named<Name extends string> = Name | SnakeCase<Name>

/**
 * The thing of that name.
 * @throws ArgumentError for another one
 */
export function named<T>(what: string, name: string, known: Readonly<Record<string, T>>): T {
  const text = typeof name === 'string' ? name : ''
  const camelCase = text.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
  if (!Object.hasOwn(known, camelCase)) {
    throw new ArgumentError(
      `${what}: expected one of ${Object.keys(known).join(', ')}, got ${spelled(name)}`,
    )
  }
  return known[camelCase]
}
