/** Who takes part, and with how many threads. */
import { fileURLToPath } from 'node:url'
import type { Case } from './cases.js'
import type { Checkout } from './checkout.js'
import { canDo, commandOf, findPeers } from './peers.js'

export interface Contestant {
  /** Program and arguments, to which the job is added; or why it is not there. */
  command: readonly string[] | { unavailable: string }
  env?: Record<string, string>
  takes(c: Case): boolean
  oneThread?: boolean
  /** Of this project: when it breaks down, so does the benchmark. */
  own?: boolean
}

const ourProgram = [process.execPath, fileURLToPath(new URL('contestant.js', import.meta.url))]

const own: Record<string, Contestant> = {
  neuroblas: {
    command: ourProgram,
    env: { NEUROBLAS_BACKEND: 'native' },
    takes: () => true,
    own: true,
  },
  js: {
    command: ourProgram,
    env: { NEUROBLAS_BACKEND: 'js' },
    takes: ({ kind }) => kind === 'training' || kind === 'op' || kind === 'inference',
    oneThread: true,
    own: true,
  },
  bare: {
    command: ourProgram,
    takes: ({ kind }) => kind === 'training',
    oneThread: true,
    own: true,
  },
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
    env: { ...own.neuroblas.env, NEUROBLAS_ADDON: addon },
  }
}

/** Cases with too little work in a step to share it. */
const oneThreaded = ({ id, kind }: Case) => kind === 'op' || id === 'P1' || id === 'I1'

/** The thread counts, of those wanted, that a contestant is measured with. */
export function threadsOf(
  { oneThread }: Contestant,
  c: Case,
  wanted: readonly number[],
): readonly number[] {
  return oneThread || oneThreaded(c) ? [1] : wanted
}
