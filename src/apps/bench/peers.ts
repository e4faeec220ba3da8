/**
 * Other libraries, as programs beside the clone. `peers.json` in their folder describes them; an
 * installed package has no such folder, and so no peers.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Case } from './cases.js'
import { OWN_FOLDER } from './machine.js'

/** An entry of peers.json. */
export interface Peer {
  /** File in the same folder; `.py` is run by Python, everything else by Node. */
  program: string
  /** Kinds or ids of cases that it can do. */
  cases: string[]
  /** It cannot use more. */
  oneThread?: boolean
}

/** `NEUROBLAS_BENCH_PEERS` names another folder of peers. */
const folder = process.env.NEUROBLAS_BENCH_PEERS ?? join(OWN_FOLDER, 'scripts', 'bench', 'peers')

export function findPeers(): Record<string, Peer> {
  const list = join(folder, 'peers.json')
  return existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as Record<string, Peer>) : {}
}

export function canDo({ cases }: Peer, { id, kind }: Case): boolean {
  return cases.includes(id) || cases.includes(kind)
}

/** The interpreter of the virtual environment, or the one that `NEUROBLAS_BENCH_PYTHON` names. */
const python =
  process.env.NEUROBLAS_BENCH_PYTHON || join(OWN_FOLDER, '.bench-venv', 'bin', 'python')

/** Program and arguments, or why it cannot be run. */
export function commandOf({ program }: Peer): readonly string[] | { unavailable: string } {
  const file = join(folder, program)
  if (!program.endsWith('.py')) return [process.execPath, file]
  if (existsSync(python)) return [python, file]
  return { unavailable: 'its packages are not installed: node scripts/bench/peers/setup.mjs' }
}
