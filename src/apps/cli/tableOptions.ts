/** The options of the commands that read tables. */
import type { Command } from 'commander'
import type { MissingPolicy, Task } from '../../index.js'
import type { Reading } from '../../internal.js'
import { checkedOption, choiceOption, integerOption, listOption } from './options.js'

/** What the options say of a table to train on. */
export interface TableSettings extends Reading {
  sql?: string
  target?: string
  task?: Task
  features?: string[]
  ignore?: string[]
  missing?: MissingPolicy
  text?: string[]
  hashBits?: number
  embedAbove?: number
  groupBy?: string
  time?: string
}

export const NAMES = [
  ...['target', 'task', 'features', 'ignore', 'missing'],
  ...['sql', 'text', 'hashBits', 'embedAbove', 'groupBy', 'time'],
  ...['header', 'delimiter', 'encoding', 'missingValues', 'decimal', 'thousands'],
] as const

/** Up to so many, 0 and 1 for each take hardly more weights than vectors. */
export const EMBED_ABOVE = 50

/** Options of `addReadingOptions`. */
export type ReadingOptions = Pick<TableSettings, 'delimiter' | 'encoding' | 'sql'>

/** The options of a table that was not said to be one. */
export function tableOptionsIn(given: object): string[] {
  return NAMES.filter((name) => Object.hasOwn(given, name))
}

const WORDS: Record<string, string> = { tab: '\t', blanks: ' ' }

/** How a table is written, where its text does not tell. */
export function addReadingOptions(command: Command): Command {
  return command
    .addOption(
      checkedOption(
        '--delimiter <character>',
        'what parts the cells of a table (default: found by its text)',
        'one character, tab or blanks',
        (text) => WORDS[text] ?? (text.length === 1 ? text : undefined),
      ),
    )
    .option('--encoding <name>', 'of a table, such as latin1 or utf-16le (default: utf-8)')
    .option('--sql <query>', 'rows to take: of a database, or of files, which are the table data')
}

/** All options of a table to train on. */
export function addTableOptions(command: Command): Command {
  command
    .option(
      '--target <column>',
      'name or position from 0 of the column to predict (default: the last)',
    )
    .addOption(choiceOption('--task <name>', 'what the target is for', ['classify', 'regress']))
    .addOption(listOption('--features <columns>', 'columns to predict from (default: all others)'))
    .addOption(listOption('--ignore <columns>', 'columns to leave out'))
    .addOption(
      choiceOption(
        '--missing <policy>',
        'what is done where values are missing; impute also tells the network (default: impute)',
        ['refuse', 'drop', 'impute'],
      ),
    )
    .addOption(listOption('--missing-values <texts>', 'cells that stand for no value'))
    .addOption(listOption('--text <columns>', 'columns of text whose words are hashed'))
    .addOption(integerOption('--hash-bits <n>', 'text has 2^n inputs (default: 8)', 1))
    .addOption(
      integerOption(
        '--embed-above <n>',
        `a column with more categories than these is embedded (default: ${EMBED_ABOVE})`,
        0,
      ),
    )
    .option('--group-by <column>', 'rows with the same value there stay in one part')
    .option('--time <column>', 'numbers or dates: the latest rows are those to test on')
    .addOption(
      checkedOption(
        '--header <true|false>',
        'whether the first line names the columns (default: found by the text)',
        'true or false',
        (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
      ),
    )
    .addOption(
      choiceOption('--decimal <character>', 'what parts decimals (default: .)', ['.', ',']),
    )
    .option('--thousands <character>', 'what stands between thousands (default: nothing)')
  return addReadingOptions(command)
}
