/** Parts the rows of a table into those to train on and those to test on. */
import { ArgumentError, DataError } from '../../base/errors.js'
import { type Pausable, pausably } from '../../base/eventLoop.js'
import { permutation, streams } from '../../tensor/random.js'
import { splitRows } from '../dataset.js'
import { type Column, MISSING, placeOf } from './column.js'
import { className } from './roles.js'

/**
 * What rows are parted by: chance, chance within each class, chance between groups that stay together, or the
 * time, where the latest rows are the test part. Plain data, which travels with a model.
 */
export interface TableSplit {
  /** What decides; `hash`: that of the number of a row, or of its value in the column, as in a table in blocks. */
  readonly by: 'chance' | 'class' | 'group' | 'time' | 'hash'
  /** The column of groups or times. */
  readonly column?: string
  /** By time, of a table in blocks: the first time of the test part; of a date in milliseconds since 1970. */
  readonly from?: number
}

/** Positions among the rows. */
export interface Parts {
  readonly train: Int32Array
  readonly test: Int32Array
}

/** Whether something from a file is a split. */
export function isTableSplit(value: unknown): value is TableSplit {
  const { by, column, from } = (value ?? {}) as Record<string, unknown>
  if (from !== undefined && (by !== 'time' || typeof from !== 'number')) return false
  if (by === 'chance' || by === 'class') return column === undefined
  if (by === 'hash' && column === undefined) return true
  return (by === 'group' || by === 'time' || by === 'hash') && typeof column === 'string'
}

/**
 * @param column of the target, the groups or the times
 * @param rows of the table
 * @throws DataError where a group or a time is missing or there is one alone, ArgumentError where a part would be empty
 */
export function* splitTable(
  { by }: TableSplit,
  column: Column,
  rows: Int32Array,
  testFraction: number,
  seed: number,
  table: string,
): Pausable<Parts> {
  const parts = splitRows(rows.length, testFraction, seed)
  if (by === 'chance') return parts
  if (by === 'time') return latest(yield* timesOf(column, rows, table), parts.test.length)
  const labels = by === 'class' ? labelsOf(column) : undefined
  const codes = new Int32Array(rows.length)
  yield* pausably(rows.length, (i) => {
    const code = column.codeAt(rows[i])
    codes[i] = labels?.[code] ?? code
  })
  if (by === 'class') return stratified(codes, testFraction, seed)
  const missing = codes.indexOf(MISSING)
  if (missing >= 0) throw lacking(table, column, 'a group')
  return grouped(codes, parts.test.length, seed, `${table}: expected groups in ${column.name}`)
}

/** The class of each text of a column: 1 and 1.0 are one. */
function labelsOf(column: Column): number[] {
  const known = new Map<string, number>()
  return (column.texts ?? []).map((text) => {
    const name = className(column, text)
    if (!known.has(name)) known.set(name, known.size)
    return known.get(name) as number
  })
}

/**
 * Takes the share of each class for the test part; where that is no whole number, the largest fractions are
 * rounded up. One example of each class at least stays in the training part.
 * @param labels of the rows, from 0 on
 */
export function stratified(labels: Int32Array, testFraction: number, seed: number): Parts {
  const { length } = labels
  const { test } = splitRows(length, testFraction, seed)
  const counts = countsOf(labels)
  const quotas = counts.map((count) => Math.floor(testFraction * count))
  const byFraction = counts
    .map((count, label) => ({ label, fraction: testFraction * count - quotas[label] }))
    .sort((a, b) => b.fraction - a.fraction || a.label - b.label)
  let left = test.length - quotas.reduce((a, b) => a + b, 0)
  for (const { label } of byFraction) {
    if (left <= 0) break
    if (quotas[label] + 1 >= counts[label]) continue
    quotas[label]++
    left--
  }
  const isTest = new Uint8Array(length)
  const order = permutation(length, seed, streams.split)
  for (const row of order) isTest[row] = quotas[labels[row]]-- > 0 ? 1 : 0
  return partsOf(order, (row) => isTest[row] === 1)
}

function countsOf(codes: Int32Array): number[] {
  const counts: number[] = []
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1
  return Array.from(counts, (count) => count ?? 0)
}

/** Takes whole groups, in a random order, as long as each brings the test part nearer to its size. */
function grouped(codes: Int32Array, size: number, seed: number, expected: string): Parts {
  const counts = countsOf(codes)
  const groups = counts.flatMap((count, code) => (count > 0 ? [code] : []))
  if (groups.length < 2) throw new DataError(`${expected}, got ${groups.length}`)
  const chosen = new Set<number>()
  let taken = 0
  for (const i of permutation(groups.length, seed, streams.split)) {
    const group = groups[i]
    if (Math.abs(taken + counts[group] - size) >= Math.abs(taken - size)) continue
    chosen.add(group)
    taken += counts[group]
  }
  // Each of them alone has more than twice the rows.
  if (chosen.size === 0) chosen.add(groups.reduce((a, b) => (counts[b] < counts[a] ? b : a)))
  const order = permutation(codes.length, seed, streams.split)
  return partsOf(order, (row) => chosen.has(codes[row]))
}

function* timesOf(column: Column, rows: Int32Array, table: string): Pausable<Float64Array> {
  if (!column.isNumeric && !column.isDate) {
    throw new DataError(
      `${table}: expected numbers or dates in ${column.name} to split by, got text`,
    )
  }
  const times = new Float64Array(rows.length)
  yield* pausably(rows.length, (i) => {
    times[i] = column.numberAt(rows[i])
  })
  if (times.some(Number.isNaN)) throw lacking(table, column, 'a time')
  return times
}

/** Of equal times, the order of the rows decides. */
function latest(times: Float64Array, size: number): Parts {
  const order = Int32Array.from(times, (_, i) => i).sort((a, b) => times[a] - times[b] || a - b)
  return { train: order.slice(0, order.length - size), test: order.slice(order.length - size) }
}

function partsOf(order: Int32Array, isTest: (row: number) => boolean): Parts {
  return { train: order.filter((row) => !isTest(row)), test: order.filter(isTest) }
}

function lacking(table: string, column: Column, what: string): DataError {
  const place = placeOf(column, column.firstMissing)
  return new DataError(
    `${table}: expected ${what} in every row of ${column.name} to split by, got none ${place}`,
  )
}

/** @throws ArgumentError where more than one is asked for */
export function splitOf(
  asked: { readonly stratify?: boolean; readonly groupBy?: string; readonly time?: string },
  isClasses: boolean,
): TableSplit {
  const { stratify = false, groupBy, time } = asked
  if (Number(stratify) + Number(groupBy !== undefined) + Number(time !== undefined) > 1) {
    throw new ArgumentError('table: expected one of stratify, groupBy and time, got more')
  }
  if (groupBy !== undefined) return { by: 'group', column: groupBy }
  if (time !== undefined) return { by: 'time', column: time }
  return { by: stratify && isClasses ? 'class' : 'chance' }
}
