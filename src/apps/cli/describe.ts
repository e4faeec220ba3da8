/** `neuroblas describe`: what the columns of a table are. */
import { Command } from 'commander'
import { count, summaryOf } from '../../internal.js'
import { jsonOption } from './options.js'
import { print } from './table.js'
import { addReadingOptions, type ReadingOptions } from './tableOptions.js'
import { describeSource, sourceOf } from './tables.js'

const help = `
Examples:
  neuroblas describe flats.csv
  neuroblas describe flats.csv --target rent
  neuroblas describe --sql "select * from 'events/*.parquet' where day > '2026-01-01'"`

type DescribeOptions = ReadingOptions & { json?: boolean; target?: string }

export function describeCommand(): Command {
  const command = new Command('describe')
    .summary('show what the columns of a table are')
    .description(
      'Shows the columns of a table: types, missing values, ranges, the most frequent categories.',
    )
    .argument('[table]', 'a table as neuroblas train takes it')
    .option(
      '--target <column>',
      'name or position of the column to predict: shows what is used for it',
    )
    .addOption(jsonOption('print one JSON object'))
  return addReadingOptions(command).addHelpText('after', help).action(describe)
}

async function describe(
  named: string | undefined,
  { json, target, ...options }: DescribeOptions,
): Promise<void> {
  const source = sourceOf(named, 'table', options.sql)
  const { name, rows, columns } = await describeSource(source, target, options)
  if (json) {
    const shown = columns.map(({ use, ...column }) =>
      target === undefined ? column : { use, ...column },
    )
    print(JSON.stringify({ name, rows, columns: shown }))
    return
  }
  print(`${name}: ${count(rows)} rows, ${columns.length} columns\n`)
  print(summaryOf(columns, rows))
}
