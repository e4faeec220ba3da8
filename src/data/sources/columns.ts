/** Columns of a source, looked for by their names. */
import { DataError } from '../../base/errors.js'
import { quote } from '../../base/text.js'
import type { SourceColumn } from './source.js'

/**
 * The columns of these names.
 * @param name what errors call the source
 * @throws DataError for a column that is not there or that cannot be read
 */
export function columnsNamed<Column extends SourceColumn>(
  name: string,
  columns: readonly Column[],
  names: readonly string[] = columns.map((column) => column.name),
): Column[] {
  const columnOf = new Map(columns.map((column) => [column.name, column]))
  return names.map((wanted) => {
    const found = columnOf.get(wanted)
    if (found === undefined) {
      const known = columns.slice(0, 20).map((column) => quote(column.name))
      throw new DataError(
        `${name}: expected a column ${quote(wanted)}, got ${known.join(', ')}${columns.length > 20 ? ', …' : ''}`,
      )
    }
    if (found.type !== 'other') return found
    throw new DataError(
      `${name}: expected numbers, booleans, text or dates in column ${wanted}, got ${found.declared}; ignore it, or make a plain column of it by a query`,
    )
  })
}

/** @throws DataError for a name that several columns have */
export function checkNames(name: string, columns: readonly { readonly name: string }[]): void {
  const seen = new Set<string>()
  for (const column of columns) {
    if (seen.has(column.name)) {
      throw new DataError(
        `${name}: expected columns of different names, got ${quote(column.name)} twice; name one otherwise`,
      )
    }
    seen.add(column.name)
  }
}
