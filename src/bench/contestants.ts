/** Who takes part, and the process that each of them is. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { NeuroblasError } from '../errors.js'
import type { Case } from './cases.js'
import type { Job, Ready, Round } from './protocol.js'

/** A contestant broke down; its own words stand above, on the error output. */
export class ContestantError extends NeuroblasError {}

interface Contestant {
  /** Program and arguments, to which the job is added. */
  command: readonly string[]
  env?: Record<string, string>
  takes(c: Case): boolean
}

const ourProgram = [process.execPath, fileURLToPath(new URL('contestant.js', import.meta.url))]

const contestants: Record<string, Contestant> = {
  neuroblas: { command: ourProgram, env: { NEUROBLAS_BACKEND: 'native' }, takes: () => true },
  js: { command: ourProgram, env: { NEUROBLAS_BACKEND: 'js' }, takes: () => true },
  bare: { command: ourProgram, takes: (c) => c.kind === 'training' },
}

export const CONTESTANTS: readonly string[] = Object.keys(contestants)

export function takesPart(contestant: string, c: Case): boolean {
  return contestants[contestant].takes(c)
}

/** One contestant at one case, alive until it is stopped. */
export class Process {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(readonly job: Job) {
    const { command, env } = contestants[job.contestant]
    const [program, ...args] = command
    this.#child = spawn(program, [...args, JSON.stringify(job)], {
      env: { ...process.env, ...env, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child.on('error', () => {}) // it shows as a missing line
    this.#child.stdin!.on('error', () => {})
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
  }

  /** What it says once it has loaded its job and taken its first steps. */
  ready(): Promise<Ready> {
    return this.#next()
  }

  /** µs per step, measured for so many seconds. */
  async round(seconds: number): Promise<number> {
    this.#child.stdin!.write(`${seconds}\n`)
    return (await this.#next<Round>()).usPerStep
  }

  stop(): void {
    this.#child.stdin!.end()
    this.#child.kill()
  }

  async #next<Line>(): Promise<Line> {
    const { value, done } = await this.#lines.next()
    if (done) {
      const { contestant, case: c } = this.job
      throw new ContestantError(`bench: ${contestant} ended during ${c.id}`)
    }
    return JSON.parse(value) as Line
  }
}
