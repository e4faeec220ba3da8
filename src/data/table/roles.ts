/**
 * What the columns of a table are used for: the target and its task, features, and what is left out.
 * Nothing is guessed in silence: what is not clear is refused, what is left out is said.
 */
import { ArgumentError, DataError, spelled } from '../../base/errors.js'
import { quote } from '../../base/text.js'
import type { Task } from '../datasetSource.js'
import { type Column, placeOf } from './column.js'
import type { Frame } from './frame.js'

/** A column by its name, or by its position from 0 on; a negative one counts from the end. */
export type ColumnReference = string | number

export interface Roles {
  readonly target: Column
  readonly task: Task
  readonly features: readonly Column[]
  /** Those of the features whose words are hashed. */
  readonly text: ReadonlySet<Column>
  /** Why each of the other columns is no feature. */
  readonly ignored: ReadonlyMap<Column, string>
  /** What was decided without being asked for. */
  readonly warnings: readonly string[]
}

export interface RoleOptions {
  readonly target: ColumnReference
  readonly task?: Task
  readonly features?: readonly ColumnReference[]
  readonly ignore?: readonly ColumnReference[]
  readonly text?: readonly ColumnReference[]
  readonly groupBy?: ColumnReference
  readonly time?: ColumnReference
}

/** With more different numbers than these, a target may as well be a value. */
const MAX_PLAIN_CLASSES = 20
/** A column with so many different values, of which nearly all are numbers or dates, is one of these. */
const MANY_VALUES = 20
const NEARLY_ALL = 0.9
/** A text that differs in this share of the rows tells rows apart, and nothing else. */
const MOSTLY_DIFFERENT = 0.5
/** In fewer rows nothing is said about them. */
const FEW_ROWS = 10

/**
 * @throws ArgumentError for a column that is not there
 * @throws DataError where a column cannot be what it is to be, or the task is not clear
 */
export function rolesOf(frame: Frame, options: RoleOptions): Roles {
  const columnsOf = (references: readonly ColumnReference[] = [], option: string) =>
    references.map((reference) => columnAt(frame, reference, option))
  const target = columnAt(frame, options.target, 'target')
  const unwanted = new Set(columnsOf(options.ignore, 'ignore'))
  const wanted = options.features && columnsOf(options.features, 'features')
  const text = new Set(columnsOf(options.text, 'text'))
  const other = [...text].find((column) => wanted?.includes(column) === false)
  if (other) throw new ArgumentError(`table: expected text among the features, got ${other.name}`)
  const both =
    [...unwanted].find((column) => column === target || wanted?.includes(column)) ??
    [...text].find((column) => column === target || unwanted.has(column))
  if (both || wanted?.includes(target)) {
    throw new ArgumentError(
      `table: expected each column as the target, a feature or ignored, got ${(both ?? target).name} twice`,
    )
  }
  const ignored = new Map<Column, string>([...unwanted].map((column) => [column, 'as asked for']))
  if (!wanted) for (const [column, why] of splitColumns(frame, options)) ignored.set(column, why)
  const features: Column[] = []
  const warnings: string[] = []
  for (const column of wanted ?? frame.columns) {
    if (column === target || ignored.has(column)) continue
    const isText = text.has(column)
    if (!isText) checkFeature(frame.name, column)
    const isAsked = isText || (wanted && column.isNumeric)
    const reason = isAsked && column.missing < column.rows ? undefined : uselessness(frame, column)
    if (reason === undefined) features.push(column)
    else if (wanted) {
      throw new DataError(`${frame.name}: expected a feature in ${column.name}, got ${reason}`)
    } else {
      ignored.set(column, reason)
      warnings.push(`${frame.name}: left out column ${column.name}: ${reason}`)
    }
  }
  for (const column of frame.columns) {
    const isOther = column !== target && !features.includes(column) && !ignored.has(column)
    if (isOther) ignored.set(column, 'not among the features')
  }
  if (features.length === 0) {
    throw new DataError(
      `${frame.name}: expected a column of features beside ${target.name}, got none`,
    )
  }
  const { task, warning } = taskOf(frame.name, target, options.task)
  if (warning) warnings.push(warning)
  return { target, task, features, text, ignored, warnings }
}

/** Columns that say where a row goes, and would tell nothing of rows to come. */
function splitColumns(frame: Frame, { groupBy, time }: RoleOptions): [Column, string][] {
  const found: [Column, string][] = []
  if (groupBy !== undefined) {
    found.push([
      columnAt(frame, groupBy, 'groupBy'),
      'it names the groups that the table is split by',
    ])
  }
  if (time === undefined) return found
  const column = columnAt(frame, time, 'time')
  // Of a date, weekdays and hours come again.
  if (column.isNumeric) found.push([column, 'it has the times that the table is split by'])
  return found
}

/** What may be a position of a column, where none has it for a name. */
export const POSITION = /^-?\d+$/

/** @throws ArgumentError for a column that is not there */
export function columnAt<Named extends { readonly name: string }>(
  { name, columns }: { readonly name: string; readonly columns: readonly Named[] },
  reference: ColumnReference,
  option: string,
): Named {
  const named = columns.find((column) => column.name === reference)
  if (named) return named
  const position = POSITION.test(String(reference)) ? Number(reference) : Number.NaN
  const found = columns.at(Number.isNaN(position) ? columns.length : position)
  if (found) return found
  const names = columns.slice(0, 20).map((column) => column.name)
  throw new ArgumentError(
    `${name}: expected ${option} among ${names.join(', ')}${columns.length > 20 ? ' …' : ''}, or a position below ${columns.length}, got ${reference}`,
  )
}

/** Why a column cannot be a feature, if so. */
function uselessness(frame: Frame, column: Column): string | undefined {
  const { texts, missing, rows, limit, firstText } = column
  if (missing === rows) return 'it has no values'
  if (frame.hasRowNames && column === frame.columns[0]) return 'it has the names of the rows'
  if (column.isNumeric) {
    return column.counts && rows >= FEW_ROWS ? 'it numbers the rows' : undefined
  }
  if (column.isDate) return undefined
  if (texts === undefined) {
    return `text with more than ${limit} different values, such as ${quote(firstText?.text ?? '')}`
  }
  const share = texts.length / (rows - missing)
  if (rows < FEW_ROWS || share <= MOSTLY_DIFFERENT) return undefined
  return `text that differs in most rows, such as ${quote(texts[0])}`
}

/** Whether so many cells are of one kind that the others look like mistakes. */
function isNearly({ texts, rows, missing }: Column, count: number): boolean {
  const isMany = texts === undefined || texts.length > MANY_VALUES
  return isMany && count >= NEARLY_ALL * (rows - missing)
}

/** 1,234 and 1.234,5 and 0,5, which are text to a reader of plain numbers. */
const SEPARATED = /^[+-]?(\d{1,3}([,.' ]\d{3})+([.,]\d+)?|\d+,\d+)$/

/** @throws DataError for a column that is neither of numbers nor of categories */
function checkFeature(table: string, column: Column): void {
  const { name, firstText, firstInfinite, firstUndated, texts } = column
  if (firstInfinite && column.isNumeric) {
    throw new DataError(
      `${table}: expected finite numbers in column ${name}, got ${firstInfinite.text} ${placeOf(column, firstInfinite)}; name it among missingValues, or ignore the column`,
    )
  }
  if (firstText === undefined || column.isDate) return
  if (SEPARATED.test(firstText.text) && texts?.every((text) => /^[+-]?\d[\d.,' ]*$/.test(text))) {
    throw new DataError(
      `${table}: expected plain numbers or names in column ${name}, got ${quote(firstText.text)} ${placeOf(column, firstText)}; say what its commas or points are (decimal, thousands), or ignore the column`,
    )
  }
  if (isNearly(column, column.numeric)) {
    throw new DataError(
      `${table}: expected numbers in column ${name} as in ${column.numeric} of its rows, got ${quote(firstText.text)} ${placeOf(column, firstText)}; name it among missingValues, or ignore the column`,
    )
  }
  if (firstUndated && isNearly(column, column.dates)) {
    throw new DataError(
      `${table}: expected dates in column ${name} as in ${column.dates} of its rows, got ${quote(firstUndated.text)} ${placeOf(column, firstUndated)}; name it among missingValues, or ignore the column`,
    )
  }
}

function taskOf(
  table: string,
  target: Column,
  asked: Task | undefined,
): { task: Task; warning?: string } {
  const { name, texts, missing, rows, firstText } = target
  if (asked !== undefined && asked !== 'classify' && asked !== 'regress') {
    throw new ArgumentError(`table: expected task classify or regress, got ${spelled(asked)}`)
  }
  if (asked === 'regress') {
    checkFeature(table, target)
    if (target.isNumeric) return { task: asked }
    throw new DataError(
      `${table}: expected numbers in target ${name}, got ${firstText ? `${quote(firstText.text)} ${placeOf(target, firstText)}` : 'no values'}`,
    )
  }
  if (asked === undefined && !target.isNumeric) checkFeature(table, target)
  if (texts === undefined) {
    const found = `${name} with more than ${target.limit} different values`
    throw new DataError(`${table}: expected a target of classes, got ${found}; task regress?`)
  }
  const different = classesOf(target).length
  if (asked === undefined && target.isNumeric && mayBeValues(target, different)) {
    throw new DataError(
      `${table}: expected a target of classes, or the task, got ${different} different numbers in ${rows - missing} rows of ${name}; say task classify or regress, or take another target`,
    )
  }
  if (different < 2) {
    throw new DataError(`${table}: expected 2 classes or more in ${name}, got ${classesOf(target)}`)
  }
  const isMany = different > MOSTLY_DIFFERENT * (rows - missing) && rows >= FEW_ROWS
  return {
    task: 'classify',
    ...(isMany && {
      warning: `${table}: ${different} classes in ${rows - missing} rows of ${name}: nearly as many as rows; is it the target, and no value to regress on?`,
    }),
  }
}

function mayBeValues(target: Column, different: number): boolean {
  const { texts, rows, missing } = target
  const isWhole = texts?.every((text) => Number.isInteger(target.numberOf(text)))
  const isMany = different > MOSTLY_DIFFERENT * (rows - missing) && rows >= FEW_ROWS
  return !isWhole || isMany || different > MAX_PLAIN_CLASSES
}

const { compare } = new Intl.Collator('en', { numeric: true })

/** Texts in the order that people expect: 2 before 10. */
export function sorted(texts: Iterable<string>): string[] {
  // By their characters first, so that the order of equal ones does not depend on the rows.
  return [...texts].sort().sort(compare)
}

/** The name of a class: of numbers their value, so that 1 and 1.0 are one. */
export function className(column: Column, text: string): string {
  return column.isNumeric ? String(column.numberOf(text)) : text
}

/** The names of the classes in a column, sorted. */
export function classesOf(column: Column, texts: readonly string[] = column.texts ?? []): string[] {
  return sorted(new Set(texts.map((text) => className(column, text))))
}
