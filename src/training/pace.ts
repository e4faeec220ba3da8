/** How many steps of a training go to the compute threads at a time. */

// How long one dispatch goes on before JavaScript hears of it, in milliseconds: short enough for a
// progress bar, and long enough for what it costs (weights into panels and back, an iteration of the
// event loop).
const DISPATCH_TIME = 50

const MOST_STEPS = 4096

/** So many steps that a dispatch takes about DISPATCH_TIME; one at first. */
export class Pace {
  #steps = 1

  get steps(): number {
    return this.#steps
  }

  /** Learns from a dispatch. */
  note(steps: number, milliseconds: number): void {
    // One that was cut short says too little about the next.
    if (2 * steps < this.#steps) return
    const fitting = Math.round((steps * DISPATCH_TIME) / Math.max(milliseconds, 0.01))
    this.#steps = Math.min(Math.max(fitting, 1), 2 * steps, MOST_STEPS)
  }
}
