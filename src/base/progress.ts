/** The line that moves while something runs: a bar on a terminal, else a line now and then. */

const REDRAW = 100
const PLAIN_LINE = 10_000
// With it the whole line fits 80 columns.
const WIDTH = 14
const CLEAR = '\r\x1b[K'

export interface Position {
  title: string
  /** From 0 to 1; undefined where nobody knows how much there is. */
  done: number | undefined
  /** What else is to be said, after so many seconds. */
  note: (seconds: number) => string
}

/** What is written to, such as `process.stdout`: published types know no Node. */
interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** Writes to one stream; nothing but `update` and `clear` may write there in between. */
export class Progress {
  readonly #moves: boolean
  #begin = performance.now()
  #last = this.#begin
  #drawn = false

  constructor(readonly stream: Output) {
    this.#moves = stream.isTTY === true && process.env.TERM !== 'dumb'
  }

  /** Begins to measure the time of another part of the work. */
  restart(): void {
    this.clear()
    this.#begin = performance.now()
  }

  update({ title, done, note }: Position): void {
    const now = performance.now()
    if (now - this.#last < (this.#moves ? REDRAW : PLAIN_LINE)) return
    this.#last = now
    const seconds = (now - this.#begin) / 1000
    const parts = [title, ...sharesOf(done, seconds, this.#moves), note(seconds)]
    const line = parts.join('  ').trimEnd()
    if (!this.#moves) {
      this.stream.write(`${line}\n`)
      return
    }
    // A line that wraps could not be drawn over.
    this.stream.write(CLEAR + line.slice(0, (this.stream.columns || 80) - 1))
    this.#drawn = true
  }

  /** Leaves an empty line for others to write on. */
  clear(): void {
    if (this.#drawn) this.stream.write(CLEAR)
    this.#drawn = false
  }
}

/** How much is done after so many seconds, and how long the rest takes. */
function sharesOf(done: number | undefined, seconds: number, moves: boolean): string[] {
  if (done === undefined) return []
  const share = `${`${Math.floor(100 * done)}`.padStart(3)} %`
  const left = done > 0 ? clock(Math.ceil((seconds * (1 - done)) / done)) : '-:--'
  if (!moves) return [share, `${left} left`]
  const filled = Math.round(WIDTH * done)
  const bar = `[${'='.repeat(filled)}${' '.repeat(WIDTH - filled)}]`
  return [`${bar} ${share}`, `${left} left`]
}

/** Minutes and seconds. */
export function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
