/** Where the planner puts the buffers of random tapes. What is fused before is in fuse.test.ts. */
import fc from 'fast-check'
import t from 'tap'
import { type DType, dtypes, type TypedArray } from '../../lib/backend/dtype.js'
import type { Handle } from '../../lib/backend/kernels.js'
import type { Plan } from '../../lib/backend/program.js'
import { type Tape, type TapeBuffer, type TapeStep, uses } from '../../lib/backend/tape.js'
import { formatPlan, lifetimes, plan } from '../../lib/capture/plan.js'

/** What a random tape is made from: a seed per choice, so that shrinking keeps tapes valid. */
interface Choice {
  kernel: 'add' | 'affine' | 'copy2d' | 'expand' | 'inPlace'
  first: number
  second: number
  length: number
  dtype: DType
  stays: boolean
}
const choice: fc.Arbitrary<Choice> = fc.record({
  kernel: fc.constantFrom('add', 'affine', 'copy2d', 'expand', 'inPlace'),
  first: fc.nat(),
  second: fc.nat(),
  length: fc.integer({ min: 0, max: 70 }),
  dtype: fc.constantFrom<DType>('float32', 'float32', 'int32', 'uint8'),
  stays: fc.boolean(),
})

/** A tape that reads only what it has written or what is given from outside. */
function tapeOf(choices: readonly Choice[]): Tape {
  const buffers: TapeBuffer[] = [
    { dtype: 'float32', length: 40, shared: 1 as Handle },
    { dtype: 'int32', length: 30, shared: 2 as Handle },
    { dtype: 'uint8', length: 50, shared: 3 as Handle },
  ]
  const steps: TapeStep[] = []
  const pick = (seed: number, dtype: DType) => {
    const fitting = [...buffers.keys()].filter((i) => buffers[i].dtype === dtype)
    return fitting[seed % fitting.length]
  }
  for (const { kernel, first, second, length, dtype, stays } of choices) {
    const type = kernel === 'copy2d' ? dtype : 'float32'
    const [a, b] = [pick(first, type), pick(second, type)]
    const m = Math.min(length, buffers[a].length, kernel === 'add' ? buffers[b].length : length)
    // Results that are larger than their operands, too.
    const n = kernel === 'expand' ? 3 * m : m
    if (kernel === 'inPlace') {
      steps.push({ kernel: 'affine', args: [a, a, buffers[a].length, -1, 3] })
      continue
    }
    const shared = stays ? { shared: (100 + buffers.length) as Handle } : {}
    const y = buffers.push({ dtype: type, length: n, ...shared }) - 1
    if (kernel === 'add') steps.push({ kernel, args: [a, b, y, 1, 1, n, 7, 7] })
    else if (kernel === 'expand') steps.push({ kernel, args: [a, y, m, 3, 1] })
    else if (kernel === 'affine') steps.push({ kernel, args: [a, y, n, 2, -1] })
    else steps.push({ kernel, args: [a, y, 1, n, 0, n, 0, n] })
  }
  // One that nothing uses.
  buffers.push({ dtype: 'float32', length: 99 })
  return { buffers, steps }
}
const tapes = fc.array(choice, { maxLength: 60 }).map(tapeOf)

function perform({ kernel, args }: TapeStep, buffers: readonly TypedArray[]): void {
  const [x, y] = [buffers[args[0]], buffers[args[1]]]
  if (kernel === 'add') {
    const sum = buffers[args[2]]
    for (let i = 0; i < args[5]; i++) sum[i] = x[i] + y[i]
  } else if (kernel === 'expand') {
    for (let i = 0; i < args[2] * args[3]; i++) y[i] = x[Math.floor(i / args[3])]
  } else if (kernel === 'affine') {
    for (let i = 0; i < args[2]; i++) y[i] = x[i] * args[3] + args[4]
  } else {
    for (let i = 0; i < args[3]; i++) y[i] = x[i]
  }
}

/** The same at the start of every run. */
function outside(handle: number, { dtype, length }: { dtype: DType; length: number }): TypedArray {
  return new dtypes[dtype].array(length).map((_, i) => (handle * 31 + i * 7) % 100)
}

/** What every step of it wrote, with a place for every buffer. */
function run(steps: readonly TapeStep[], buffers: readonly TypedArray[]): TypedArray[] {
  return steps.map((step) => {
    perform(step, buffers)
    const written = step.args.find((_, i) => /write|update/.test(uses[step.kernel][i]))
    return buffers[written!].slice()
  })
}

function runTape({ buffers, steps }: Tape): TypedArray[] {
  return run(
    steps,
    buffers.map((buffer) =>
      buffer.shared
        ? outside(buffer.shared, buffer)
        : new dtypes[buffer.dtype].array(buffer.length),
    ),
  )
}

function runPlan({ arenaBytes, places, steps }: Plan): TypedArray[] {
  const arena = new ArrayBuffer(arenaBytes)
  new Uint8Array(arena).fill(0xaf)
  return run(
    steps,
    places.map((place) =>
      place.shared
        ? outside(place.shared, place)
        : new dtypes[place.dtype].array(arena, place.offset, place.length),
    ),
  )
}

const bytesOf = ({ dtype, length }: { dtype: DType; length: number }) =>
  length * dtypes[dtype].bytes
const roundUp = (bytes: number) => Math.ceil(bytes / 64) * 64

t.test('buffers that are alive together never overlap', async () => {
  fc.assert(
    fc.property(tapes, (tape) => {
      const { arenaBytes, places, steps } = plan(tape)
      const spans = lifetimes({ buffers: [...places], steps: [...steps] })
      const locals = [...places.keys()].filter((i) => places[i].offset !== undefined)
      for (const i of locals) {
        const [offset, end] = [places[i].offset!, places[i].offset! + roundUp(bytesOf(places[i]))]
        if (offset % 64 !== 0) throw new Error(`${offset} is not a multiple of 64`)
        if (end > arenaBytes) throw new Error(`${end} is beyond ${arenaBytes}`)
        if (places[i].shared !== undefined) throw new Error('both in the arena and outside')
        const [first, last] = spans[i]!
        for (const j of locals) {
          if (j === i || spans[j]![0] > last || spans[j]![1] < first) continue
          if (places[j].length === 0) continue
          if (places[j].offset! < end && places[j].offset! >= offset) {
            throw new Error(`${i} and ${j} overlap`)
          }
        }
      }
      const sum = locals.reduce((bytes, i) => bytes + roundUp(bytesOf(places[i])), 0)
      if (arenaBytes > sum) throw new Error(`${arenaBytes} for ${sum} bytes of buffers`)
    }),
    { numRuns: 300 },
  )
})

t.test('a plan does what its tape does', async () => {
  fc.assert(
    fc.property(tapes, (tape) => {
      const planned = plan(tape)
      const [found, wanted] = [runPlan(planned), runTape(tape)]
      if (String(planned.steps.map((s) => s.kernel)) !== String(tape.steps.map((s) => s.kernel))) {
        throw new Error('the steps are not in their order')
      }
      for (const [at, values] of wanted.entries()) {
        if (String(found[at]) !== String(values)) {
          throw new Error(`step ${at} wrote ${found[at]}, not ${values}`)
        }
      }
    }),
    { numRuns: 300 },
  )
})

t.test('a chain needs room for two buffers, however long it is', async (t) => {
  const choices = Array.from({ length: 200 }, (_, i) => ({
    kernel: 'affine' as const,
    // The newest float buffer.
    first: i === 0 ? 0 : i,
    second: 0,
    length: 40,
    dtype: 'float32' as const,
    stays: false,
  }))
  t.equal(plan(tapeOf(choices)).arenaBytes, 2 * roundUp(160))
})

t.test('a long tape whose buffers are all alive in its middle', async (t) => {
  const layers = 8000
  const buffers: TapeBuffer[] = [{ dtype: 'float32', length: 40, shared: 1 as Handle }]
  const steps: TapeStep[] = []
  for (let i = 0; i < layers; i++) {
    const y = buffers.push({ dtype: 'float32', length: 16 + ((i * 37) % 50) }) - 1
    steps.push({ kernel: 'affine', args: [i, y, 16, 2, -1] })
  }
  for (let i = layers; i > 0; i--) {
    const dy = buffers.length - 1
    const dx = buffers.push({ dtype: 'float32', length: 16 }) - 1
    steps.push({ kernel: 'add', args: [i, dy, dx, 1, 1, 16, 7, 7] })
  }
  const { arenaBytes } = plan({ buffers, steps })
  const alive = buffers.slice(1, layers + 1).reduce((sum, x) => sum + roundUp(bytesOf(x)), 0)
  t.ok(arenaBytes <= 1.01 * alive, `${arenaBytes} bytes for ${alive}`)
})

t.test('a plan of nothing', async (t) => {
  t.strictSame(plan({ buffers: [], steps: [] }), {
    arenaBytes: 0,
    places: [],
    steps: [],
    panels: [],
  })
  t.equal(
    formatPlan(plan({ buffers: [], steps: [] })),
    'arena: 0 bytes, 0 buffers; shared: 0 buffers',
  )
})
