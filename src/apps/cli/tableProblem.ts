/** A table to train on, in three parts: in memory where that holds it, else in blocks. */
import { statSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  type BlockSource,
  OutOfMemoryError,
  type TableOptions,
  type TableSource,
} from '../../index.js'
import { OpenTable, openTableBlocks, requireMemory, unseenNotes } from '../../internal.js'
import { TEST_SHARE, validationShare } from './data.js'
import { partsInMemory } from './parts.js'
import type { Problem } from './problem.js'
import { withRowBar } from './rowBar.js'
import { note } from './table.js'
import { EMBED_ABOVE, NAMES, type TableSettings } from './tableOptions.js'
import { nameOf, PIPE, readingOf } from './tables.js'

/** The parts of a table, encoded by what the first says, and what is to be said of it. */
export interface TableProblem extends Problem {
  readonly notes: readonly string[]
}

/** Of the rows of a table in blocks, of which there are many. */
const VALIDATION_OF_BLOCKS = 0.01
/** Bytes that a byte of separated text takes as a cell, as an input and as the copy of that for training, at most, nearly. */
const PER_BYTE = 6

/** Bytes that a row takes while it is parted, and at least as a feature of an example, with the copy for training. */
const [PARTING, ENCODED] = [40, 8]

/** @throws DataError, ArgumentError as `table` and `tableBlocks` */
export async function readTableProblem(
  source: string,
  { target = '-1', sql, ...settings }: TableSettings,
  seed: number,
): Promise<TableProblem> {
  const asked = Object.fromEntries(
    NAMES.filter((name) => settings[name as 'task'] !== undefined).map((name) => [
      name,
      settings[name as 'task'],
    ]),
  )
  const { missing = 'impute' } = settings
  const filling = { missing, addIndicator: missing === 'impute' }
  const how = { embedAbove: EMBED_ABOVE, ...asked, ...filling, target }
  const [from, named] = readingOf(source, { sql })
  const name = nameOf(source, sql)
  const options = { ...how, ...named, seed }
  try {
    return await inMemory(from, name, options)
  } catch (error) {
    if (!(error instanceof OutOfMemoryError) || source === PIPE) throw error
    note(`${name}: is larger than memory, and read in blocks`)
    collectGarbage()
  }
  return inBlocks(source, name, options)
}

/** Frees what was read in vain: the system would kill a process that kept it beside what follows. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

async function inMemory(
  source: TableSource,
  title: string,
  options: TableOptions & { readonly seed: number },
): Promise<TableProblem> {
  requireRoom(source, title)
  const { seed } = options
  const stratify = options.groupBy === undefined && options.time === undefined
  const opened = await withRowBar(`reading ${title}`, undefined, (onRows) =>
    OpenTable.open(source, { ...options, stratify, onRows }),
  )
  const { name, roles, rows, classes } = opened
  const bytes = rows.length * (PARTING + ENCODED * roles.features.length)
  requireMemory(name, `parting and encoding ${rows.length} rows`, bytes)
  const outer = await opened.parts(rows, TEST_SHARE, seed)
  const share = validationShare(name, outer.train.length)
  const inner = await opened.parts(outer.train, share, seed)
  const encoding = await opened.fit(inner.train)
  const parts = []
  for (const part of [inner.train, inner.test, outer.test]) {
    parts.push(await opened.encode(part, encoding))
  }
  const [train, validation, test] = parts.map(({ data }) => data)
  // Training copies them.
  requireMemory(name, `${rows.length} rows`, rows.length * 4 * train.inputShape[0])
  const unseen = parts.flatMap((part) => unseenNotes(name, part.unseen))
  const { target, task } = roles
  return {
    ...{ name, target: target.name, task, classes, encoding, split: opened.split },
    columns: opened.description,
    notes: [...roles.warnings, ...opened.notes, ...unseen],
    ...partsInMemory(train, validation, test),
  }
}

/** @throws OutOfMemoryError where the text alone is too long */
function requireRoom(source: TableSource, name: string): void {
  if (typeof source !== 'string') return
  const found = statSync(source, { throwIfNoEntry: false })
  if (found?.isFile() && /\.(csv|tsv|tab|data|txt)$/i.test(source)) {
    requireMemory(name, 'the table', PER_BYTE * found.size)
  }
}

async function inBlocks(
  source: string,
  title: string,
  options: TableOptions,
): Promise<TableProblem> {
  const { blocks, classCounts } = await withRowBar(
    `looking through ${title}`,
    undefined,
    (onRows) =>
      openTableBlocks(source, {
        ...options,
        testFraction: TEST_SHARE,
        validationFraction: VALIDATION_OF_BLOCKS,
        onRows,
      }),
  )
  const { name, train, validation, test, task, classes, encoding, split, notes, close } = blocks
  const { target } = encoding
  const validated = validation ?? test
  return {
    ...{ name, target: target.name, task, classes, encoding, split, notes, close },
    columns: blocks.describe(),
    ...{ train, validation: validated, test, classCounts },
    sizes: { train: sizeOf(train), validation: sizeOf(validated), test: sizeOf(test) },
  }
}

/** What `tableBlocks` counted. */
const sizeOf = ({ size }: BlockSource) => size as number

/** The last column is said to be taken where others could be meant. */
export function choiceNotes(
  { name, target, task, columns = [] }: Problem,
  asked: string | undefined,
): string[] {
  const others = columns.filter(
    (column) =>
      column.use === 'feature' &&
      (column.type !== 'number' || /^(class|target|label|y)$/i.test(column.name)),
  )
  if (asked !== undefined || task !== 'classify' || others.length === 0) return []
  const names = others.slice(0, 5).map((column) => column.name)
  const more = others.length > 5 ? ', …' : ''
  return [
    `${name}: took the last column, ${target}, for the target; --target takes another, such as ${names.join(', ')}${more}`,
  ]
}
