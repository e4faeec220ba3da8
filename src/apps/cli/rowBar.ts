/** How far a command is with the rows of something, on the error output: what it finds goes to the other. */
import { count, Progress, perSecond } from '../../internal.js'

export class RowBar {
  readonly #progress = new Progress(process.stderr)

  /** @param total of rows; undefined where nobody knows it */
  constructor(
    readonly title: string,
    readonly total?: number,
  ) {}

  /** Tells that so many rows are done. */
  readonly update = (rows: number): void => {
    const { title, total } = this
    const note = (seconds: number) =>
      [
        ...(total === undefined ? [`${count(rows)} rows`] : []),
        perSecond(rows, seconds, 'rows'),
      ].join('  ')
    this.#progress.update({ title, done: total && rows / total, note })
  }

  close(): void {
    this.#progress.clear()
  }
}

/** Does what tells a bar of its rows. */
export async function withRowBar<T>(
  title: string,
  total: number | undefined,
  work: (update: (rows: number) => void) => Promise<T> | T,
): Promise<T> {
  const bar = new RowBar(title, total)
  try {
    return await work(bar.update)
  } finally {
    bar.close()
  }
}
