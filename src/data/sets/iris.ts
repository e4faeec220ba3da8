/**
 * Fisher's iris flowers, which ship with the package (see data/README.md for their origin).
 */
import { DataError } from '../../base/errors.js'
import type { Dataset } from '../dataset.js'
import { isClass, parseRows, readShipped } from './shipped.js'

/**
 * 150 flowers: sepal length, sepal width, petal length and petal width in cm ([4] each, neither
 * centred nor scaled); the targets are the species 0 to 2, named in `classes`.
 *
 * @throws DataError when the file that ships with the package is missing or damaged,
 *   MissingPackageError in a bundle that the package does not lie beside
 */
export function iris(): Dataset<'labels'> {
  const { file, text } = readShipped('iris.csv')
  return parseIris(text, file)
}

/** A header (examples, measurements, names of the classes), then the flowers with their class. */
export function parseIris(text: string, file: string): Dataset<'labels'> {
  const header = text.split(/\r?\n/, 1)[0]
  const [count, features, ...classes] = header.split(',')
  if (!/^[1-9]\d{0,5},[1-9]\d{0,2}(,\w+)+$/.test(header)) {
    throw new DataError(
      `${file}: expected a header "examples,measurements,names", got "${header.slice(0, 80)}"`,
    )
  }
  const width = Number(features)
  const rows = parseRows(text.slice(text.indexOf('\n') + 1), width + 1, file, 2)
  if (rows.length !== Number(count)) {
    throw new DataError(`${file}: expected ${count} lines after the header, got ${rows.length}`)
  }
  const wrong = rows.findIndex((row) => !isClass(row[width], classes.length))
  if (wrong >= 0) {
    throw new DataError(
      `${file}: expected a class in 0..${classes.length - 1} on line ${wrong + 2}, got ${rows[wrong][width]}`,
    )
  }
  return {
    name: 'iris',
    size: rows.length,
    inputs: Float32Array.from(rows.flatMap((row) => row.slice(0, width))),
    inputShape: [width],
    scale: 1,
    targets: Int32Array.from(rows, (row) => row[width]),
    targetShape: [],
    classes,
  }
}
