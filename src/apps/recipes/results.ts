/** The results that are kept: a JSON file, and a table of it in Markdown beside it. */

import { existsSync, readFileSync } from 'node:fs'
import { writeFileAtomically } from '../../internal.js'
import { recipes } from './recipes.js'

export interface Result {
  row: string
  /** Test errors in percent, one per seed from 0 on. */
  errors: number[]
  epochs: number
  /** All runs together. */
  seconds: number
  examplesPerSecond: number
  date: string
  commit: string | null
  machine: string
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Standard deviation of the runs; undefined for a single one. */
export function spread(values: readonly number[]): number | undefined {
  if (values.length < 2) return undefined
  const middle = mean(values)
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1))
}

export function formatErrors(errors: readonly number[]): string {
  const deviation = spread(errors)
  return `${mean(errors).toFixed(2)}${deviation === undefined ? '' : ` ± ${deviation.toFixed(2)}`} %`
}

/** Puts a row's result in the place of its last one. */
export function keepResult(file: string, result: Result): void {
  const found: Result[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []
  const order = recipes.map(({ row }) => row)
  const results = [...found.filter(({ row }) => row !== result.row), result].sort(
    (a, b) => order.indexOf(a.row) - order.indexOf(b.row),
  )
  const write = (path: string, text: string) => writeFileAtomically(path, Buffer.from(text))
  write(file, `${JSON.stringify(results, null, 2)}\n`)
  write(file.replace(/(\.json)?$/, '.md'), markdown(results))
}

function markdown(results: readonly Result[]): string {
  const lines = recipes.map(({ row, units, filters, training, published, source }) => {
    const result = results.find((found) => found.row === row)
    const layers =
      filters === undefined ? units : [units[0], `(${filters.join('-')})`, ...units.slice(1)]
    const cells = [row, layers.join('-'), training, `${published} % (${source})`]
    return `| ${[...cells, ...(result ? measured(result) : ['not run to its end yet'])].join(' | ')} |`
  })
  return `# Published results on MNIST, reproduced

Errors on the 10,000 test images (mean ± standard deviation over the seeds) after training on all
60,000 others; in brackets, filters of convolutions of 3 × 3. Settings are those of the papers, or were chosen by the error on the last 10,000
training images (\`--validate\`); the test images had no part in it. Written by
\`npm run reproduce -- <row>\`. Time is that of all runs together, by the clock, whatever else the
machine had to do; examples/s are those of the fastest epoch.

| row | network | training | published | measured | seeds | epochs | time | examples/s | date | commit | machine |
|---|---|---|---|---|---|---|---|---|---|---|---|
${lines.join('\n')}
`
}

function measured(result: Result): string[] {
  const { errors, epochs, seconds, examplesPerSecond, date, commit, machine } = result
  return [
    formatErrors(errors),
    errors.length === 1 ? '0' : `0 to ${errors.length - 1}`,
    `${epochs}`,
    minutes(seconds),
    Math.round(examplesPerSecond).toLocaleString('en-US'),
    date.slice(0, 10),
    commit?.slice(0, 10) ?? '',
    machine,
  ]
}

export function minutes(seconds: number): string {
  return seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} min`
}
