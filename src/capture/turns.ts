/** Replays of several recorded functions, in turns, in one dispatch to the compute threads. */
import type { Turn } from '../backend/program.js'
import type { AnyTensor } from '../tensor/tensor.js'
import { inTurn } from './inTurn.js'
import type { Prepared, Recorded } from './recorded.js'
import type { Results } from './results.js'

/** Replays of one function: each argument has a row for each of them. */
export interface Replays<R extends Results> {
  readonly recorded: Recorded<R>
  readonly args: readonly AnyTensor[]
  readonly iterations: number
}

/**
 * Replays functions that were recorded, each another one, turn by turn; as many as there are arguments.
 * @param turns whose replays come next, by position, and how many; one after the other by default
 * @returns the results of each function, with a row for each replay
 */
export async function runInTurns<R extends Results>(
  replays: readonly Replays<R>[],
  turns: readonly Turn[] = replays.map(({ iterations }, part) => ({ part, iterations })),
): Promise<R[]> {
  const functions = replays.map(({ recorded }) => recorded)
  const args = replays.map(({ args }) => args)
  return inTurn('runMany', functions, args, async (given) => {
    const prepared: Prepared<R>[] = []
    try {
      try {
        for (const [i, { recorded, iterations }] of replays.entries()) {
          prepared.push(recorded.prepare(given[i], iterations))
        }
        for (const { part, iterations } of turns) prepared[part].makeReady(iterations)
        const parts = prepared.map((part) => part.part())
        await functions[0].backend.runInTurns(parts, turns)
      } finally {
        for (const { end } of prepared) end()
      }
      for (const recorded of functions) recorded.refuseDisposed()
    } catch (error) {
      for (const { discard } of prepared) discard()
      throw error
    }
    return prepared.map(({ results }) => results)
  })
}
