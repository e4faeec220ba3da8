/** Helpers for rewriting a tape: which steps use a buffer, and the tape with other steps. */
import { type Tape, type TapeBuffer, type TapeStep, uses } from './tape.js'

/**
 * The steps that read a buffer and those that write it, in order; a step may do both. A buffer and its
 * views share them.
 */
export interface Users {
  readonly readers: number[]
  readonly writers: number[]
}

export function usersOf(tape: Tape): Users[] {
  const users: { readers: number[]; writers: number[] }[] = []
  for (const { view } of tape.buffers)
    users.push(view ? users[view.of] : { readers: [], writers: [] })
  for (const [at, { kernel, args }] of tape.steps.entries()) {
    for (const [i, value] of args.entries()) {
      const use = uses[kernel][i]
      if (use === 'read' || use === 'update') users[value].readers.push(at)
      if (use === 'write' || use === 'update') users[value].writers.push(at)
    }
  }
  return users
}

/** Whether a buffer is made and freed inside, and no part of another one. */
export function isInside({ shared, view }: TapeBuffer): boolean {
  return shared === undefined && view === undefined
}

/** Whether any of these steps lies between two others, both left out. */
export function hasBetween(steps: readonly number[], first: number, last: number): boolean {
  return steps.some((step) => step > first && step < last)
}

/**
 * The step that made what the step `at` reads of a buffer, where nobody else needs that: the two can
 * become one at the later place, once their operands are found stable.
 */
export function madeOnlyFor(
  { buffers }: Tape,
  { readers, writers }: Users,
  buffer: number,
  at: number,
): number | undefined {
  const from = writers.findLast((writer) => writer < at)
  const isOnlyForThis =
    isInside(buffers[buffer]) &&
    from !== undefined &&
    [...readers, ...writers].every((user) => user <= from || user === at)
  return isOnlyForThis ? from : undefined
}

/** Whether none of these buffers changes between two steps, both left out. */
export function areStable(
  users: readonly Users[],
  buffers: readonly number[],
  from: number,
  at: number,
): boolean {
  return buffers.every((buffer) => !hasBetween(users[buffer].writers, from, at))
}

/** The tape with other steps, or none, at some places. */
export function replaceSteps(
  tape: Tape,
  replaced: ReadonlyMap<number, TapeStep | undefined>,
  added: readonly TapeBuffer[] = [],
): Tape {
  return {
    ...tape,
    buffers: [...tape.buffers, ...added],
    steps: tape.steps.flatMap((step, at) => {
      const instead = replaced.has(at) ? replaced.get(at) : step
      return instead ? [instead] : []
    }),
  }
}
