/** The columns of a table as lines of text, for people. */
import { count } from '../../base/text.js'
import type { ColumnDescription } from './describe.js'

/** So many categories are shown, the most frequent first. */
const SHOWN = 4
const WIDTH = 79
const LONGEST_NAME = 24

/**
 * A line for each column: its name, its type, how many values are missing, and what the others are.
 * @param rows of the table
 */
export function summaryOf(columns: readonly ColumnDescription[], rows: number): string {
  const used = columns.some(({ use }) => use === 'target')
  const cells = columns.map((column) => [
    shortened(column.name, LONGEST_NAME),
    column.type,
    ...(used ? [column.use] : []),
    column.missing === 0 ? '-' : `${((100 * column.missing) / rows).toFixed(1)} %`,
    valuesOf(column, rows),
  ])
  const lines = [['column', 'type', ...(used ? ['use'] : []), 'missing', 'values'], ...cells]
  const last = lines[0].length - 1
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)))
  return lines
    .map((line) =>
      line
        .map((cell, i) =>
          i === last ? cell : i === last - 1 ? cell.padStart(widths[i]) : cell.padEnd(widths[i]),
        )
        .join('  ')
        .trimEnd(),
    )
    .map((line) => shortened(line, WIDTH))
    .join('\n')
}

function valuesOf(column: ColumnDescription, rows: number): string {
  const { min, max, mean, std, earliest, latest, categories, counts = [], example } = column
  if (column.missing === rows) return 'none'
  if (min !== undefined && max !== undefined) {
    return `${digits(min)} to ${digits(max)}, mean ${digits(mean ?? 0)} ± ${digits(std ?? 0)}`
  }
  if (earliest !== undefined) return `${earliest} to ${latest}`
  if (categories === undefined) return `such as ${JSON.stringify(example)}`
  const known = rows - column.missing
  const byCount = categories.map((name, i) => ({ name, share: counts[i] / known }))
  byCount.sort((a, b) => b.share - a.share)
  const first = byCount
    .slice(0, SHOWN)
    .map(({ name, share }) => `${shortened(name, 20)} ${Math.round(100 * share)} %`)
  const more = categories.length > SHOWN ? [`${count(categories.length - SHOWN)} more`] : []
  return [...first, ...more].join(', ')
}

/** Four digits, without zeros at the end. */
function digits(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e9 || (size > 0 && size < 1e-4)) return value.toExponential(2)
  if (size >= 1000) return count(Math.round(value))
  return `${Number(value.toPrecision(4))}`
}

function shortened(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text
}
