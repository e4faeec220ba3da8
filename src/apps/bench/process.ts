/** A contestant's process: starts it, and asks it for one round after another. */

import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { NeuroblasError } from '../../index.js'
import type { Contestant } from './contestants.js'
import type { Job, Ready, Round } from './protocol.js'

/** A contestant broke down; its own words stand above, on the error output. */
export class ContestantError extends NeuroblasError {}

/** Every library's own name for the number of its threads. */
const THREAD_VARIABLES = [
  'NEUROBLAS_NUM_THREADS',
  'OPENBLAS_NUM_THREADS',
  'OMP_NUM_THREADS',
  'MKL_NUM_THREADS',
]

/** One contestant at one case, alive until it is stopped. */
export class Process {
  readonly #child: ChildProcess | undefined
  readonly #lines: AsyncIterator<string> | undefined
  readonly #unavailable: string | undefined

  constructor(
    readonly job: Job,
    readonly contestant: Contestant,
  ) {
    const { command, env } = contestant
    if ('unavailable' in command) {
      this.#unavailable = command.unavailable
      return
    }
    const [program, ...args] = command
    const threads = THREAD_VARIABLES.map((name) => [name, `${job.threads}`])
    this.#child = spawn(program, [...args, JSON.stringify(job)], {
      env: { ...process.env, ...env, ...Object.fromEntries(threads) },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child.on('error', () => {}) // it shows as a missing line
    this.#child.stdin!.on('error', () => {})
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
  }

  /** What it says once it has loaded its job and taken its first steps. */
  async ready(): Promise<Ready> {
    if (this.#unavailable !== undefined) return { unavailable: this.#unavailable }
    try {
      return await this.#next()
    } catch (error) {
      if (this.contestant.own) throw error
      return { unavailable: `${(error as Error).message}, its words are on the error output` }
    }
  }

  /** Measures for so many seconds. */
  round(seconds: number): Promise<Round> {
    this.#child!.stdin!.write(`${seconds}\n`)
    return this.#next()
  }

  stop(): void {
    this.#child?.stdin?.end()
    this.#child?.kill()
  }

  async #next<Line>(): Promise<Line> {
    const { value, done } = await this.#lines!.next()
    const { contestant, case: c } = this.job
    if (done) throw new ContestantError(`bench: ${contestant} ended during ${c.id}`)
    try {
      return JSON.parse(value) as Line
    } catch {
      throw new ContestantError(`bench: expected a line of JSON from ${contestant}, got ${value}`)
    }
  }
}
