/** Reads a source whole into the columns of a table: as many of them, and of their texts, as are wanted. */
import { ArgumentError, excerpt } from '../../base/errors.js'
import { isIterable, openIterable } from '../sources/iterable.js'
import { readerOf } from '../sources/openSource.js'
import { isReader, type TableReader } from '../sources/source.js'
import { type Frame, frameOfRows, MAX_CATEGORIES, readFrame } from './frame.js'
import { type ReaderExpected, readTable } from './readerFrame.js'
import { type ColumnReference, columnAt, POSITION } from './roles.js'
import type { TableOptions, TableSource } from './tableOptions.js'

/** Different texts of a target that become classes. */
const MAX_CLASSES = 65536

/** How many different texts of a column are kept, by its name, position, and the number of columns. */
type TextLimit = (name: string, position: number, width: number) => number

export function limitsOf({ target, text = [], groupBy }: TableOptions): TextLimit {
  return (name: string, position: number, width: number) => {
    const isOneOf = (references: readonly (ColumnReference | undefined)[]) =>
      references.some(
        (reference) =>
          name === reference || [position, position - width].includes(Number(reference)),
      )
    if (isOneOf([...text, groupBy])) return Infinity
    return isOneOf([target]) ? MAX_CLASSES : MAX_CATEGORIES
  }
}

/**
 * What is read of a source: what is asked for, or all that is not ignored.
 * @throws ArgumentError for a column that is not there
 */
export function expectedOf(
  reader: TableReader,
  options: Partial<TableOptions>,
  limit: TextLimit,
): ReaderExpected {
  const { target, features, ignore = [], text = [], groupBy, time } = options
  const { columns } = reader
  const at = (references: readonly (ColumnReference | undefined)[], option: string) =>
    references.flatMap((reference) =>
      reference === undefined ? [] : columnAt(reader, reference, option).name,
    )
  const ignored = at(ignore, 'ignore')
  const used = [
    ...at([target], 'target'),
    ...at(features ?? [], 'features'),
    ...at(text, 'text'),
    ...at([groupBy], 'groupBy'),
    ...at([time], 'time'),
  ]
  const names = columns
    .map(({ name }) => name)
    .filter((name) => used.includes(name) || !(features || ignored.includes(name)))
  return {
    names,
    // Numbers need no texts, unless they are classes.
    limit: ({ name, type }, position) => {
      const kept = limit(name, position, columns.length)
      return kept === MAX_CATEGORIES && (type === 'number' || type === 'date') ? 0 : kept
    },
  }
}

/** @throws DataError, ArgumentError as `table` */
export async function frameOf(
  source: TableSource,
  options: Partial<TableOptions>,
  limit: TextLimit,
): Promise<Frame> {
  const reader = await readerOf(source, options)
  if (reader) {
    const { onRows } = options
    return readTable(reader, { ...expectedOf(reader, options, limit), onRows })
  }
  const { name = 'table', target, features = [], ignore = [], text = [], groupBy, time } = options
  const references = [target, ...features, ...ignore, ...text, groupBy, time]
  const names = references
    .filter((reference) => reference !== undefined && !POSITION.test(String(reference)))
    .map(String)
  if (typeof source === 'string') return readFrame(source, source, options, { names, limit })
  if (Array.isArray(source)) {
    if (source.length === 0) throw new ArgumentError('table: expected records, got none')
    const keys = Object.keys(source[0] ?? {})
    return frameOfRows(source, keys, name, options, limit)
  }
  if (!isIterable(source)) {
    throw new ArgumentError(
      `table: expected a path, SQL, an iterable of bytes or of rows, or records, got ${excerpt(source)}`,
    )
  }
  const opened = await openIterable(source, name, options)
  return isReader(opened)
    ? readTable(opened, expectedOf(opened, options, limit))
    : readFrame(opened, name, options, { names, limit })
}
