// Running commands for the set-up: quiet while they work, their last lines when they fail.
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A path inside the project. */
export const inRoot = (...parts) => join(root, ...parts)

export const say = (text) => console.log(`setup: ${text}`)

/** Ends the set-up with a message on stderr. */
export function stop(message, code = 1) {
  console.error(`setup: ${message}`)
  process.exit(code)
}

/** Runs a command in the project's folder with its output kept back. */
export function run(command, args, env = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'neuroblas-setup-'))
  const log = join(folder, 'log')
  // One file for both streams keeps their lines in order.
  const fd = openSync(log, 'w')
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', fd, fd],
  })
  closeSync(fd)
  const output = readFileSync(log, 'utf8') + (error ? `${error.message}\n` : '')
  rmSync(folder, { recursive: true })
  return { ok: status === 0, signal, output: output.trim() }
}

/** Runs one step with a line before and after; a failure ends the set-up with advice. */
export function step(title, advice, command, args, env) {
  const start = Date.now()
  say(`${title} ...`)
  const { ok, signal, output } = run(command, args, env)
  if (signal) stop(`${title}: ended by ${signal}`, 130)
  if (!ok) {
    console.error(output.split('\n').slice(-60).join('\n'))
    stop(`${title}: failed, its last lines are above. ${advice}`)
  }
  say(`${title}: done in ${((Date.now() - start) / 1000).toFixed(1)} s`)
}
