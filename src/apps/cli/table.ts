/** How numbers and tables look in the terminal. Plain text, the same on a terminal and in a file. */
/** Columns two blanks apart; `align` has an l (left) or r (right) for each. */
export function table(rows: readonly (readonly string[])[], align: string): string {
  const widths = [...align].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => (align[i] === 'r' ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
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
