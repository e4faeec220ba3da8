/** Notices when another model stands at a path: another file, or another index of several. */
import { fileOf, stampOf } from '../io/modelFile.js'

/** Milliseconds between two looks; events of the file system would miss network drives and mounted folders. */
const INTERVAL = 500

/** Calls `onChange` for each newer file, once that has stayed the same from one look to the next. */
export class FileWatch {
  #last: FileState
  #change: Promise<void> | undefined
  readonly #timer: NodeJS.Timeout

  /**
   * @param known the state of the file before it was read
   * @param onChange is waited for before the next look; it must not fail
   */
  constructor(
    readonly path: string,
    private known: FileState,
    readonly onChange: () => Promise<void>,
  ) {
    this.#last = known
    this.#timer = setInterval(() => this.#look(), INTERVAL).unref()
  }

  /** Looks no more; what was begun is done when this is. */
  async end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#change
  }

  #look(): void {
    if (this.#change) return
    const found = fileState(this.path)
    const isSettled = found === this.#last
    this.#last = found
    // While a file is replaced there may be none.
    if (!isSettled || found === undefined || found === this.known) return
    this.known = found
    this.#change = this.onChange().finally(() => {
      this.#change = undefined
    })
  }
}

/** What is another one for another file; undefined where there is none, or none can be looked at just now. */
export type FileState = string | undefined

export function fileState(path: string): FileState {
  try {
    return stampOf(fileOf(path))
  } catch {
    // A network drive that is away for a while does not end a server.
    return undefined
  }
}
