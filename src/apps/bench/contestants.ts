/** Who takes part, and with how many threads. */
import type { Case } from './cases.js'
import type { Checkout } from './checkout.js'
import { flopsOf } from './flops.js'
import { canDo, commandOf, findPeers } from './peers.js'
import { OWN_COMMAND } from './process.js'
import type { Level } from './protocol.js'

export interface Contestant {
  /** Program and arguments, to which the job is added; or why it is not there. */
  command: readonly string[] | { unavailable: string }
  env?: Record<string, string>
  takes(c: Case): boolean
  oneThread?: boolean
  /** It computes with the vector instructions that `NEUROBLAS_SIMD` names. */
  levels?: boolean
  /** Of this project: when it breaks down, so does the benchmark. */
  own?: boolean
}

/** On the native backend. */
const native = {
  command: OWN_COMMAND,
  env: { NEUROBLAS_BACKEND: 'native' },
  levels: true,
  own: true,
}

/** What steps are measured against, on one thread. */
const yardstick = { command: OWN_COMMAND, oneThread: true, own: true }

/** Operations of a step of images beyond which JavaScript's 100 checked ones take minutes. */
const JS_FLOPS = 5e8
const JS_KINDS = ['training', 'images', 'product', 'op', 'inference', 'fit']

/** The limit's turn comes next to ours: both are to meet the machine in the same state. */
const own: Record<string, Contestant> = {
  neuroblas: { ...native, takes: () => true },
  limit: { ...yardstick, takes: (c) => flopsOf(c) !== undefined, levels: true },
  bare: { ...yardstick, takes: ({ kind }) => kind === 'training' },
  js: {
    command: OWN_COMMAND,
    env: { NEUROBLAS_BACKEND: 'js' },
    takes: (c) => JS_KINDS.includes(c.kind) && (c.kind !== 'images' || flopsOf(c)! < JS_FLOPS),
    oneThread: true,
    own: true,
  },
  workers: { ...native, takes: ({ kind }) => kind === 'runs' },
  processes: { ...native, takes: ({ kind }) => kind === 'runs' },
}

const peers = Object.entries(findPeers()).map(([name, peer]): [string, Contestant] => [
  name,
  { command: commandOf(peer), takes: (c) => canDo(peer, c), oneThread: peer.oneThread },
])

const contestants: Record<string, Contestant> = { ...own, ...Object.fromEntries(peers) }

export const CONTESTANTS: readonly string[] = Object.keys(contestants)

/** Those of these names, and the checkout, if there is one, under the name `against`. */
export function contestantsNamed(
  names: readonly string[],
  against: Checkout | undefined,
): [string, Contestant][] {
  const named = names.map((name): [string, Contestant] => [name, contestants[name]])
  return against ? [...named, ['against', contestantFrom(against)]] : named
}

/** The contestant `neuroblas` as another checkout has it, with that checkout's addon. */
function contestantFrom({ program, addon }: Checkout): Contestant {
  return {
    ...own.neuroblas,
    command: [process.execPath, program],
    // An older one does not know every case.
    own: false,
    env: { ...own.neuroblas.env, NEUROBLAS_ADDON: addon },
  }
}

/** Cases with too little work in a step to share it. */
const oneThreaded = ({ id, kind }: Case) =>
  kind === 'op' || kind === 'fit' || id === 'P1' || id === 'I1'

/** The thread counts, of those wanted, that a contestant is measured with. */
export function threadsOf(
  { oneThread }: Contestant,
  c: Case,
  wanted: readonly number[],
): readonly number[] {
  return oneThread || oneThreaded(c) ? [1] : wanted
}

/** The levels, of those wanted, that it is measured at; undefined is the one in force. */
export function levelsOf(
  { levels }: Contestant,
  wanted: readonly Level[],
): readonly (Level | undefined)[] {
  return levels && wanted.length > 0 ? wanted : [undefined]
}
