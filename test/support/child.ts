/**
 * Runs a function in a process of its own. Only its text goes there: it may use what it is given,
 * the library, childTools.mjs and plain arguments, but nothing from around it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type * as library from '../../lib/index.js'

export type Library = typeof library
export type Tools = typeof import('./childTools.mjs')

export interface Ended {
  stdout: string
  stderr: string
  code: number | null
  signal: NodeJS.Signals | null
}

export interface ChildOptions {
  env?: Record<string, string>
  /** Goes before Node's own command line. */
  before?: string[]
}

const root = new URL('../../', import.meta.url)

/** How the process ended, and what it wrote. */
export async function inChild<A extends unknown[]>(
  { env = {}, before = [] }: ChildOptions,
  fn: (nb: Library, tools: Tools, ...args: A) => unknown,
  ...args: A
): Promise<Ended> {
  const environment = { ...process.env, ...env }
  // tap's loader and its coverage have ends of their own; nor must the tester's settings decide.
  for (const name of ['NODE_OPTIONS', 'NODE_V8_COVERAGE', 'NEUROBLAS_NUM_THREADS']) {
    if (!(name in env)) delete environment[name]
  }
  const text = `
    import * as nb from '${new URL('lib/index.js', root)}'
    import * as tools from '${new URL('childTools.mjs', import.meta.url)}'
    await (${fn})(nb, tools, ...${JSON.stringify(args)})`
  const [command, ...rest] = [...before, process.execPath, '--input-type=module', '-e', text]
  const child = spawn(command, rest, {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const written = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk) => {
      written[stream] += chunk
    })
  }
  const [code, signal] = await once(child, 'close')
  return { ...written, code, signal }
}
