/**
 * Where the buffers of a tape live: those that are made and freed inside share one arena, and two of
 * them share a place in it when they are never needed together. A pure function of the tape.
 */
import { dtypes } from '../backend/dtype.js'
import type { Place, Plan } from '../backend/program.js'
import { formatStep, type Tape, uses } from '../backend/tape.js'

const alignment = 64

/**
 * First and last step that uses each buffer or a view of it; undefined for one that no step uses and for
 * views.
 */
export function lifetimes({ buffers, steps }: Tape): ([first: number, last: number] | undefined)[] {
  const spans: ([number, number] | undefined)[] = buffers.map(() => undefined)
  const rootOf = (buffer: number) => buffers[buffer].view?.of ?? buffer
  for (const [at, { kernel, args }] of steps.entries()) {
    for (const [i, value] of args.entries()) {
      if (uses[kernel][i] === 'number') continue
      const span = spans[rootOf(value)]
      if (span) span[1] = at
      else spans[rootOf(value)] = [at, at]
    }
  }
  return spans
}

/** Places the largest first, each at the lowest offset where nothing alive with it lies. */
export function plan(tape: Tape): Plan {
  const spans = lifetimes(tape)
  const sizes = tape.buffers.map(
    ({ length, dtype }) => Math.ceil((length * dtypes[dtype].bytes) / alignment) * alignment,
  )
  const local = [...tape.buffers.keys()].filter(
    (i) => spans[i] && tape.buffers[i].shared === undefined,
  )
  local.sort((a, b) => sizes[b] - sizes[a] || a - b)
  // Not tuples: a long tape is walked through here once per buffer.
  const first = Int32Array.from(spans, (span) => span?.[0] ?? 0)
  const last = Int32Array.from(spans, (span) => span?.[1] ?? 0)
  const offsets = new Float64Array(tape.buffers.length)
  /** By offset. */
  const placed: number[] = []
  let arenaBytes = 0
  for (const buffer of local) {
    let offset = 0
    for (const other of placed) {
      if (offsets[other] >= offset + sizes[buffer]) break
      const isApart = first[other] > last[buffer] || last[other] < first[buffer]
      if (!isApart) offset = Math.max(offset, offsets[other] + sizes[other])
    }
    offsets[buffer] = offset
    placed.splice(firstBeyond(placed, offsets, offset), 0, buffer)
    arenaBytes = Math.max(arenaBytes, offset + sizes[buffer])
  }
  return compact(tape, offsets, arenaBytes)
}

/** The first position whose buffer lies beyond an offset. */
function firstBeyond(placed: readonly number[], offsets: Float64Array, offset: number): number {
  let [low, high] = [0, placed.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (offsets[placed[middle]] > offset) high = middle
    else low = middle + 1
  }
  return low
}

/** Leaves out buffers that no step uses any more. */
function compact(tape: Tape, offsets: Float64Array, arenaBytes: number): Plan {
  const renamed = new Map<number, number>()
  const places: Place[] = []
  const rename = (buffer: number): number => {
    const known = renamed.get(buffer)
    if (known !== undefined) return known
    const { dtype, length, shared, view } = tape.buffers[buffer]
    const of = view && rename(view.of)
    if (shared !== undefined) places.push({ dtype, length, shared })
    else if (of !== undefined) places.push({ dtype, length, view: { of, offset: view!.offset } })
    else places.push({ dtype, length, offset: offsets[buffer] })
    renamed.set(buffer, places.length - 1)
    return places.length - 1
  }
  const steps = tape.steps.map(({ kernel, args }) => ({
    kernel,
    args: args.map((value, i) => (uses[kernel][i] === 'number' ? value : rename(value))),
  }))
  const panels = (tape.panels ?? []).map((it) => ({ ...it, buffer: rename(it.buffer) }))
  return { arenaBytes, places, steps, panels }
}

/** The plan as text: the arena, the buffers in it, the steps. */
export function formatPlan({ arenaBytes, places, steps, panels }: Plan): string {
  const name = (buffer: number) => {
    const { shared, view } = places[buffer]
    return `${view ? 'view' : shared === undefined ? 'arena' : 'shared'}${buffer}`
  }
  const locals = places.flatMap(({ offset, length, dtype }, i) =>
    offset === undefined ? [] : [`  ${name(i)}: ${length} ${dtype} at ${offset}`],
  )
  const views = places.flatMap(({ view, length }, i) =>
    view ? [`  ${name(i)}: ${length} of ${name(view.of)} from ${view.offset}`] : [],
  )
  const shared = places.length - locals.length - views.length
  return [
    `arena: ${arenaBytes} bytes, ${locals.length} buffers; shared: ${shared} buffers`,
    ...locals,
    ...views,
    ...panels.map(({ buffer, rows, cols }) => `  ${name(buffer)}: ${rows} x ${cols} in panels`),
    ...steps.map((step, i) => `${String(i).padStart(3)} ${formatStep(step, name)}`),
  ].join('\n')
}
