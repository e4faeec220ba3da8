/**
 * Brands: symbols that say that an object is of one of the library's classes. Not `instanceof`, which
 * knows one copy of a class alone, and takes a Proxy, whose private fields cannot be reached, for the
 * object behind it.
 */

/** Whether it has the brand, a symbol of all realms and of every copy of the library. */
export function isBranded(value: unknown, brand: symbol): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as Record<symbol, unknown>)[brand] === true
  )
}
