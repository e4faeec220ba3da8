/** Notices when another model stands at a path: another file, or another index of several. */
import { stat } from 'node:fs/promises'
import { fileOf } from '../io/modelFile.js'

/** Milliseconds between two looks; events of the file system would miss network drives and mounted folders. */
const INTERVAL = 500

/** Calls `onChange` for each newer file, once that has stayed the same from one look to the next. */
export class FileWatch {
  #last: FileState
  #isLooking = false
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
    this.#timer = setInterval(() => void this.#look(), INTERVAL).unref()
  }

  end(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    const found = await fileState(this.path)
    const isSettled = found === this.#last
    this.#last = found
    // While a file is replaced there may be none.
    if (isSettled && found !== undefined && found !== this.known) {
      this.known = found
      await this.onChange()
    }
    this.#isLooking = false
  }
}

/** What is another one for another file; undefined where there is none. */
export type FileState = string | undefined

export async function fileState(path: string): Promise<FileState> {
  try {
    const { ino, size, mtimeMs } = await stat(fileOf(path))
    return `${ino} ${size} ${mtimeMs}`
  } catch {
    return undefined
  }
}
