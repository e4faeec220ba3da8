/**
 * Which kernels are put in the place of others, when they are not, and that this changes nothing but
 * the last bits.
 */
import t from 'tap'
import { currentBackend } from '../lib/backend/current.js'
import type { Handle, KernelName } from '../lib/backend/kernels.js'
import { fuse } from '../lib/capture/fuse.js'
import { plan } from '../lib/capture/plan.js'
import type { Tape, TapeBuffer } from '../lib/capture/tape.js'
import { capture, l1, l2, type Regularizer, SGD, type SGDSettings, scope } from '../lib/index.js'
import { batch, close, network, onBothBackendsLater, stepOf } from './support/engine.js'
import { onBothBackends } from './support/reference.js'

const [M, N, K] = [5, 3, 4]

/** The operands of a weight gradient; `dw`, `local` and `dw2` are made inside. */
const sizes = { x: K * M, delta: K * N, w: M * N, w2: M * N, square: M * M, y: M * M, settings: 6 }
const names = [...Object.keys(sizes), 'dw', 'dw2', 'local']
type Call = [KernelName, ...(string | number)[]]

const gradient: Call = ['gemm', 'x', 'delta', 'dw', 1, 0, M, N, K, 1, 0]
const step: Call = ['sgd', 'w', 'dw', 'settings', M * N]
const negate = (from: string, to: string, n: number): Call => ['affine', from, to, n, -1, 0]

/** Steps by the names of their buffers, and whether the product and the step become one. */
const tapes: Record<string, { calls: Call[]; fused: boolean; stays?: string }> = {
  'a plain step': { calls: [gradient, step], fused: true },
  'w is read in between': {
    calls: [gradient, ['gemm', 'delta', 'w', 'y', 0, 1, K, M, N, 1, 0], step],
    fused: true,
  },
  'operands change before and after': {
    calls: [negate('x', 'x', K * M), gradient, step, negate('delta', 'delta', K * N)],
    fused: true,
  },
  'other buffers change in between': {
    calls: [gradient, negate('x', 'local', K * M), negate('local', 'y', K * M), step],
    fused: true,
  },
  'x changes in between': { calls: [gradient, negate('x', 'x', K * M), step], fused: false },
  'delta changes in between': {
    calls: [gradient, negate('delta', 'delta', K * N), step],
    fused: false,
  },
  'the gradient stays': { calls: [gradient, step], fused: false, stays: 'dw' },
  'the gradient is read before': {
    calls: [gradient, negate('dw', 'y', M * N), step],
    fused: false,
  },
  'the gradient is read after': { calls: [gradient, step, negate('dw', 'y', M * N)], fused: false },
  'the gradient moves two weights': {
    calls: [gradient, step, ['sgd', 'w2', 'dw', 'settings', M * N]],
    fused: false,
  },
  'the gradient is a sum of products': {
    calls: [gradient, ['gemm', 'x', 'delta', 'dw', 1, 0, M, N, K, 1, 1], step],
    fused: false,
  },
  'the gradient is changed': { calls: [gradient, negate('dw', 'dw', M * N), step], fused: false },
  'the gradient is copied': {
    calls: [gradient, negate('dw', 'dw2', M * N), ['sgd', 'w', 'dw2', 'settings', M * N]],
    fused: false,
  },
  'a scaled product': {
    calls: [['gemm', 'x', 'delta', 'dw', 1, 0, M, N, K, 0.5, 0], step],
    fused: false,
  },
  'w is an operand': {
    calls: [['gemm', 'square', 'w', 'dw', 0, 0, M, N, M, 1, 0], step],
    fused: false,
  },
  'a part of w': { calls: [gradient, ['sgd', 'w', 'dw', 'settings', 7]], fused: false },
  momentum: {
    calls: [gradient, ['sgdMomentum', 'w', 'dw', 'w2', 'settings', M * N]],
    fused: false,
  },
}

/** With the outside buffers on the current backend, the same at the start of every run. */
function record(calls: readonly Call[], stays?: string): Tape {
  const backend = currentBackend()
  const make = (name: string): TapeBuffer => {
    const length = sizes[name as keyof typeof sizes] ?? M * M
    if (!(name in sizes) && name !== stays) return { dtype: 'float32', length }
    const shared = backend.alloc(length, 'float32')
    const values = Float32Array.from({ length }, (_, i) => ((i * 37 + length) % 23) / 11 - 1)
    if (name === 'settings') values.set([0.125, 0.5, 0, 0.25, 0.125, 0.0625])
    backend.write(shared, values)
    return { dtype: 'float32', length, shared }
  }
  const steps = calls.map(([kernel, ...args]) => ({
    kernel,
    args: args.map((arg) => (typeof arg === 'string' ? names.indexOf(arg) : arg)),
  }))
  return { buffers: names.map(make), steps }
}

/** What all outside buffers hold after the tape, rewritten or not. */
function resultsOf(tape: Tape, rewrite: (tape: Tape) => Tape): number[] {
  const backend = currentBackend()
  const program = backend.compile(plan(rewrite(tape)))
  program.runSync(1, [])
  program.dispose()
  return tape.buffers.flatMap(({ shared, length }) => {
    if (shared === undefined) return []
    const values = new Float32Array(length)
    backend.read(shared, values)
    backend.release(shared as Handle)
    return [...values]
  })
}

for (const [name, { calls, fused, stays }] of Object.entries(tapes)) {
  onBothBackends(`a gradient and its step: ${name}`, (t) => {
    const kernels = fuse(record(calls, stays)).steps.map(({ kernel }) => kernel)
    const wanted = calls.map(([kernel]) => kernel)
    if (fused) {
      wanted[calls.indexOf(step)] = 'gemmSgd'
      wanted.splice(calls.indexOf(gradient), 1)
    }
    t.strictSame(kernels, wanted)
    const found = resultsOf(record(calls, stays), fuse)
    const direct = resultsOf(record(calls, stays), (tape) => tape)
    if (fused) close(t, found, direct, 1e-6, 'results')
    else t.strictSame(found, direct)
  })
}

t.test('a tape is left as it was', async (t) => {
  const tape = record([gradient, step])
  const before = JSON.stringify(tape)
  fuse(tape)
  t.equal(JSON.stringify(tape), before)
})

onBothBackends('a step of plain SGD has no weight gradients', (t) => {
  const model = network([7, 13, 11])
  const train = capture(stepOf(model, new SGD(model.parameters(), { lr: 0.1 })))
  const text = train.describe(...batch(1, [4, 7, 11]))
  t.match(text, /^arena: \d+ bytes, \d+ buffers; shared: \d+ buffers\n/)
  t.equal(text.match(/gemmSgd\(/g)?.length, 2, 'both weights')
  t.equal(text.match(/ sgd\(/g)?.length, 2, 'only the biases are left')
  t.notMatch(text, new RegExp(` (${7 * 13}|${13 * 11}) float32 at`), 'no buffer of their size')
  const lines = text.split('\n')
  t.match(lines[1], /^ {2}arena\d+: \d+ float32 at \d+$/)
  t.match(lines.at(-1), /^ *\d+ \w+\((\w+=[\w.e-]+(, )?)+\)$/)
})

/** Settings that one pass over the weights takes care of. */
const settings: Record<string, Omit<SGDSettings, 'lr'>> = {
  plain: {},
  l2: { regularizer: l2(0.01) },
  weightDecay: { weightDecay: 0.05 },
  l1: { regularizer: l1(0.02) },
  all: { regularizer: [l1(0.02), l2(0.01)] as Regularizer[], weightDecay: 0.01 },
}
for (const [name, options] of Object.entries(settings)) {
  onBothBackendsLater(`fused training is what runs op by op: ${name}`, async (t) => {
    const [replayed, eager] = [1, 1].map((seed) => network([20, 33, 5], seed))
    const optimizer = (model: typeof eager) => new SGD(model.parameters(), { lr: 0.1, ...options })
    const train = capture(stepOf(replayed, optimizer(replayed)))
    const reference = stepOf(eager, optimizer(eager))
    for (let i = 0; i < 25; i++) {
      const [x, labels] = batch(i, [i % 5 === 4 ? 1 : 9, 20, 5])
      const risk = scope(() => reference(x, labels).item())
      close(t, [train(x, labels).item()], [risk], 1e-5, `risk of step ${i}`)
    }
    const wanted = eager.state()
    for (const [path, { data }] of replayed.state()) {
      close(t, data, wanted.get(path)!.data, 1e-5, path)
    }
    const zeros = (model: typeof eager) =>
      model
        .parameters()[0]
        .data()
        .filter((value) => value === 0).length
    if (options.regularizer && name !== 'l2') t.ok(zeros(replayed) > 20, 'some weights are zero')
    t.ok(Math.abs(zeros(replayed) - zeros(eager)) <= 2)
  })
}
