/** How numbers and tables look in the terminal. Plain text, the same on a terminal and in a file. */
/** Columns two blanks apart; `align` has an l (left) or r (right) for each. */
export function table(rows: readonly (readonly string[])[], align: string): string {
  return new TableText(align).lines(rows)
}

/** A table of which some rows are told after others: its columns become wider, never narrower. */
export class TableText {
  readonly #widths: number[]

  constructor(readonly align: string) {
    this.#widths = [...align].map(() => 0)
  }

  lines(rows: readonly (readonly string[])[]): string {
    const widths = this.#widths
    for (const row of rows) {
      for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i], cell.length)
    }
    const { align } = this
    return rows
      .map((row) =>
        row
          .map((cell, i) => (align[i] === 'r' ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
          .join('  ')
          .trimEnd(),
      )
      .join('\n')
  }
}

export function bytes(n: number): string {
  return n < 2 ** 20 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 2 ** 20).toFixed(1)} MiB`
}

/** What is to be known besides the results. */
export function note(text: string): void {
  process.stderr.write(`neuroblas: ${text}\n`)
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
