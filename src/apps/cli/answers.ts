/** What `neuroblas predict` prints or writes: a line for each row or image, as they come. */
import { extname } from 'node:path'
import type { ClassScores } from '../../index.js'
import { AtomicFile } from '../../internal.js'
import { UsageError } from './options.js'
import { print, TableText } from './table.js'

/** Of one row or image, by what its parts are called. */
export type Answer = Readonly<Record<string, number | string | readonly number[]>>

/** Which rows or images answers are about. */
export interface Subject {
  readonly of: 'row' | 'image'
  readonly which: (i: number) => number | string
}

/**
 * @param what the number of a class is: a probability or a score
 * @param isWhole whether those of all classes are wanted
 */
export function answersOf(
  { labels, scores }: ClassScores,
  classes: readonly string[],
  what: 'probability' | 'score',
  { of, which }: Subject,
  isWhole: boolean,
): Answer[] {
  const all = what === 'score' ? 'scores' : 'probabilities'
  return Array.from(labels, (label, i) => {
    const start = i * classes.length
    const answer = { [of]: which(i), class: classes[label], [what]: scores[start + label] }
    if (!isWhole) return answer
    return { ...answer, label, [all]: [...scores.subarray(start, start + classes.length)] }
  })
}

/** Where answers go: some after others, and what is to be done in the end, or where something fails. */
export interface Output {
  /** Whether the numbers of all classes are wanted. */
  readonly isWhole: boolean
  write(answers: readonly Answer[]): void
  commit(): void
  discard(): void
}

/** Lines on the output: a table, or JSON. */
export function printed(json: boolean): Output {
  const spell = json ? asJson : asTable()
  return {
    isWhole: json,
    write: (answers) => print(spell(answers)),
    commit() {},
    discard() {},
  }
}

/**
 * A file by the end of its name, which is there once it is complete.
 * @throws UsageError for another end
 */
export function fileOutput(path: string): Output {
  const end = extname(path).toLowerCase()
  const isJson = end === '.jsonl' || end === '.ndjson'
  if (!isJson && end !== '.csv') {
    throw new UsageError(`--out: expected a file .csv, .jsonl or .ndjson, got ${path}`)
  }
  const spell = isJson ? asJson : asCSV()
  const file = new AtomicFile(path)
  return {
    isWhole: isJson,
    write: (answers) => file.write(Buffer.from(`${spell(answers)}\n`)),
    commit: () => file.commit(),
    discard: () => file.discard(),
  }
}

function asJson(answers: readonly Answer[]): string {
  return answers.map((answer) => JSON.stringify(answer)).join('\n')
}

function asCSV() {
  const lineOf = (cells: readonly unknown[]) => cells.map((cell) => quoted(`${cell}`)).join(',')
  let names: string[] | undefined
  return (answers: readonly Answer[]): string => {
    const lines = answers.map((answer) => lineOf(Object.values(answer)))
    if (names !== undefined) return lines.join('\n')
    names = Object.keys(answers[0])
    return [lineOf(names), ...lines].join('\n')
  }
}

/** As RFC 4180 has it. */
function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}

function asTable() {
  let text: TableText | undefined
  return (answers: readonly Answer[]): string => {
    const rows = answers.map((answer) =>
      Object.entries(answer).map(([name, cell]) =>
        name === 'probability' || name === 'score' ? (cell as number).toFixed(4) : `${cell}`,
      ),
    )
    if (text !== undefined) return text.lines(rows)
    const first = Object.entries(answers[0])
    const isText = ([name, cell]: [string, unknown]) => name === 'class' || typeof cell === 'string'
    text = new TableText(first.map((cell) => (isText(cell) ? 'l' : 'r')).join(''))
    return text.lines([first.map(([name]) => name), ...rows])
  }
}
