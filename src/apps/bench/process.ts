/** A contestant that runs: starts it, and asks it for one round after another. */

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { NeuroblasError } from '../../index.js'
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

/** The program of our own contestants. */
const PROGRAM = fileURLToPath(new URL('contestant.js', import.meta.url))
export const OWN_COMMAND: readonly string[] = [process.execPath, PROGRAM]

/** Where a contestant listens and answers. */
interface Lines {
  input: Writable
  output: Readable
  stop(): void
}

/** One contestant at one case, alive until it is stopped. */
export class Process {
  readonly #lines: Lines
  readonly #answers: AsyncIterator<string>

  constructor(
    readonly job: Job,
    lines: Lines,
  ) {
    this.#lines = lines
    this.#answers = createInterface({ input: lines.output })[Symbol.asyncIterator]()
  }

  /** What it says once it has loaded its job and taken its first steps. */
  ready(): Promise<Ready> {
    return this.#next()
  }

  /** Measures for so many seconds. */
  round(seconds: number): Promise<Round> {
    this.#lines.input.write(`${seconds}\n`)
    return this.#next()
  }

  stop(): void {
    this.#lines.input.end()
    this.#lines.stop()
  }

  async #next<Line>(): Promise<Line> {
    const { value, done } = await this.#answers.next()
    const { contestant, case: c } = this.job
    if (done) throw new ContestantError(`bench: ${contestant} ended during ${c.id}`)
    try {
      return JSON.parse(value) as Line
    } catch {
      throw new ContestantError(`bench: expected a line of JSON from ${contestant}, got ${value}`)
    }
  }
}

/** Starts a program in a process of its own, with as many threads and at the level that the job says. */
export function startProcess(
  job: Job,
  [program, ...args]: readonly string[] = OWN_COMMAND,
  env: Record<string, string> = {},
): Process {
  const { threads, level } = job
  const child = spawn(program, [...args, JSON.stringify(job)], {
    env: {
      ...process.env,
      ...env,
      ...Object.fromEntries(THREAD_VARIABLES.map((name) => [name, `${threads}`])),
      ...(level !== undefined && { NEUROBLAS_SIMD: level }),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  // These show as a missing line.
  child.on('error', () => {})
  child.stdin.on('error', () => {})
  return new Process(job, {
    input: child.stdin,
    output: child.stdout,
    stop: () => child.kill(),
  })
}

/** Starts one of our own contestants in a worker of this process. */
export function startWorker(job: Job): Process {
  const worker = new Worker(PROGRAM, { argv: [JSON.stringify(job)], stdin: true, stdout: true })
  return new Process(job, {
    input: worker.stdin!,
    output: worker.stdout,
    stop: () => worker.terminate(),
  })
}
