/**
 * Ctrl-C, SIGTERM, SIGHUP (the terminal was closed) and SIGQUIT (Ctrl-\\): the first one asks the work to
 * stop, the next one ends the process.
 */

const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 }
type Caught = keyof typeof EXIT_CODES

/**
 * npm hands a Ctrl-C that the terminal has already delivered on to its children: what comes within
 * so many milliseconds is no second wish.
 */
const SAME_WISH = 150

/** From its construction to `dispose`, signals abort `signal` instead of ending the process. */
export class Interrupt {
  readonly #controller = new AbortController()
  #timer: NodeJS.Timeout | undefined
  caught: Caught | undefined

  constructor(readonly onFirst: (name: string) => void = () => {}) {
    for (const name of Object.keys(EXIT_CODES)) process.on(name, this.#handle)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  readonly #handle = (name: Caught): void => {
    if (this.caught) return
    this.caught = name
    process.exitCode = EXIT_CODES[name]
    this.onFirst(name)
    // The work after training keeps the event loop busy; by then the system itself must react.
    this.#timer = setTimeout(() => {
      this.dispose()
      this.#controller.abort()
    }, SAME_WISH)
  }

  /** Signals end the process again. */
  dispose(): void {
    clearTimeout(this.#timer)
    for (const name of Object.keys(EXIT_CODES)) process.removeListener(name, this.#handle)
  }
}
