/** The `neuroblas` command as people start it: a process per call. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))
const main = `${root}lib/apps/cli/main.js`

/**
 * Node as people start it. tap has every process load its own hooks, which collect coverage, take
 * the signals and double the time to start: `env` takes them out again.
 */
export const bareNode = ['env', '-u', 'NODE_OPTIONS', process.execPath] as const
const node = process.env.TAP_DISABLE_COVERAGE === '1' ? bareNode : [process.execPath]

export interface Run {
  /** Goes before Node's own command line. */
  under?: readonly string[]
  cwd?: string
  input?: string
  env?: Record<string, string>
  /** Sees the process and what it has written so far, each time it has written more. */
  watch?: (child: ChildProcess, stdout: string, stderr: string) => void
}

export interface Finished {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** Runs `neuroblas` with these arguments to its end. */
export async function runCommand(
  args: readonly string[],
  { under = [], cwd = root, input = '', env = {}, watch }: Run = {},
): Promise<Finished> {
  const [command, ...before] = [...under, ...node, main, ...args]
  // What the person who runs the tests has set must not decide them.
  const { NEUROBLAS_BACKEND: _, NEUROBLAS_DEBUG: __, ...environment } = process.env
  const child = spawn(command, before, { cwd, env: { ...environment, ...env } })
  const written = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk) => {
      written[stream] += chunk
      watch?.(child, written.stdout, written.stderr)
    })
  }
  // A process that has ended before it read its input.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [code, signal] = await once(child, 'close')
  return { code, signal, ...written }
}

/** A line of `train --json`. */
export type Event = Record<string, unknown> & { event: string; testAccuracy: number }

/** What `train --json` printed. */
export const eventsOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Event)

/** Trains with --json; all events, and the last one. */
export async function train(args: string[], options: Run = {}) {
  const result = await runCommand(['train', ...args, '--json'], options)
  const events = eventsOf(result.stdout)
  return { ...result, events, end: events[events.length - 1] }
}
