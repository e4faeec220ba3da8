/**
 * Which kernels are put in the place of others, when they are not, and that this changes no bit.
 */
import t from 'tap'
import { fuse } from '../../lib/capture/fuse.js'
import {
  Adadelta,
  Adagrad,
  Adam,
  AdamW,
  capture,
  Lion,
  l1,
  l2,
  NAdam,
  type Optimizer,
  RAdam,
  type Regularizer,
  RMSprop,
  SGD,
  type SGDSettings,
  scope,
  type Tensor,
} from '../../lib/index.js'
import {
  batch,
  identical,
  network,
  onBothBackendsLater,
  sameParameters,
  stepOf,
} from '../support/engine.js'
import { onBothBackends } from '../support/reference.js'
import { type Call, kernelsOf, recordCalls, resultsOf } from '../support/tapes.js'

const [M, N, K] = [5, 3, 4]

/** The operands of a weight gradient, and what optimizers keep. */
const outside = {
  x: K * M,
  delta: K * N,
  w: M * N,
  w2: M * N,
  square: M * M,
  y: M * M,
  squares: M * N,
  settings: 11,
}
const sizes = { outside, inside: { dw: M * M, dw2: M * M, local: M * M } }

const gradient: Call = ['gemm', 'x', 'delta', 'dw', 1, 0, M, N, K, 1, 0, 0]
const step: Call = ['sgd', 'w', 'dw', 'settings', M * N]
/** The gradient of one example. */
const gradientOfOne: Call = ['gemm', 'x', 'delta', 'dw', 1, 0, M, N, 1, 1, 0, 0]
const momentumStep: Call = ['sgdMomentum', 'w', 'dw', 'w2', 'settings', M * N]
const adamStep: Call = ['adam', 'w', 'dw', 'w2', 'squares', 'settings', M * N]
const negate = (from: string, to: string, n: number): Call => ['affine', from, to, n, -1, 0]

/** Steps by the names of their buffers, and whether the product and the step become one. */
const tapes: Record<string, { calls: Call[]; fused: boolean; stays?: string }> = {
  'a plain step': { calls: [gradient, step], fused: true },
  'w is read in between': {
    calls: [gradient, ['gemm', 'delta', 'w', 'y', 0, 1, K, M, N, 1, 0, 0], step],
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
    calls: [gradient, ['gemm', 'x', 'delta', 'dw', 1, 0, M, N, K, 1, 1, 0], step],
    fused: false,
  },
  'the gradient is changed': { calls: [gradient, negate('dw', 'dw', M * N), step], fused: false },
  'the gradient is copied': {
    calls: [gradient, negate('dw', 'dw2', M * N), ['sgd', 'w', 'dw2', 'settings', M * N]],
    fused: false,
  },
  'a scaled product': {
    calls: [['gemm', 'x', 'delta', 'dw', 1, 0, M, N, K, 0.5, 0, 0], step],
    fused: false,
  },
  'w is an operand': {
    calls: [['gemm', 'square', 'w', 'dw', 0, 0, M, N, M, 1, 0, 0], step],
    fused: false,
  },
  'a part of w': { calls: [gradient, ['sgd', 'w', 'dw', 'settings', 7]], fused: false },
}

const record = (calls: readonly Call[], stays?: string) => recordCalls(sizes, calls, stays)

for (const [name, { calls, fused, stays }] of Object.entries(tapes)) {
  onBothBackends(`a gradient and its step: ${name}`, (t) => {
    const wanted = calls.map(([kernel]) => kernel)
    if (fused) {
      wanted[calls.indexOf(step)] = 'gemmSgd'
      wanted.splice(calls.indexOf(gradient), 1)
    }
    t.strictSame(kernelsOf(fuse(record(calls, stays))), wanted)
    const found = resultsOf(record(calls, stays), fuse)
    const direct = resultsOf(record(calls, stays))
    identical(t, found, direct, 'results')
  })
}

/** Steps that keep a state, and what the tape becomes. */
const withState: Record<string, { calls: Call[]; becomes: string[]; stays?: string }> = {
  momentum: { calls: [gradientOfOne, momentumStep], becomes: ['gemmSgdMomentum'] },
  adam: { calls: [gradientOfOne, adamStep], becomes: ['gemmAdam'] },
  'both, of two gradients': {
    calls: [
      gradientOfOne,
      ['gemm', 'x', 'delta', 'dw2', 1, 0, M, N, 1, 1, 0, 0],
      momentumStep,
      ['adam', 'y', 'dw2', 'square', 'squares', 'settings', M * N],
    ],
    becomes: ['gemmSgdMomentum', 'gemmAdam'],
  },
  'the gradient stays': {
    calls: [gradientOfOne, adamStep],
    becomes: ['gemm', 'adam'],
    stays: 'dw',
  },
  'the gradient is read after': {
    calls: [gradientOfOne, momentumStep, negate('dw', 'y', M * N)],
    becomes: ['gemm', 'sgdMomentum', 'affine'],
  },
  'the velocity is an operand': {
    calls: [['gemm', 'w2', 'delta', 'dw', 1, 0, M, N, 1, 1, 0, 0], momentumStep],
    becomes: ['gemm', 'sgdMomentum'],
  },
  'the mean of squares is an operand': {
    calls: [['gemm', 'x', 'squares', 'dw', 1, 0, M, N, 1, 1, 0, 0], adamStep],
    becomes: ['gemm', 'adam'],
  },
  'x changes in between': {
    calls: [gradientOfOne, negate('x', 'x', M), adamStep],
    becomes: ['gemm', 'affine', 'adam'],
  },
}
for (const [name, { calls, becomes, stays }] of Object.entries(withState)) {
  onBothBackends(`a gradient and a step with a state: ${name}`, (t) => {
    t.strictSame(kernelsOf(fuse(record(calls, stays))), becomes)
    const found = resultsOf(record(calls, stays), fuse)
    identical(t, found, resultsOf(record(calls, stays)), 'results')
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
      identical(t, [train(x, labels).item()], [risk], `risk of step ${i}`)
    }
    sameParameters(t, replayed, eager, 'after training')
    const zeros = replayed
      .parameters()[0]
      .data()
      .filter((value) => value === 0).length
    if (options.regularizer && name !== 'l2') t.ok(zeros > 20, 'some weights are zero')
  })
}

/** Steps that keep a state. */
const stateful: Record<string, (parameters: readonly Tensor[]) => Optimizer> = {
  gemmSgdMomentum: (parameters) =>
    new SGD(parameters, { lr: 0.01, momentum: 0.9, regularizer: [l1(0.002), l2(0.01)] }),
  gemmAdam: (parameters) => new Adam(parameters, { lr: 0.01, weightDecay: 0.01 }),
  'gemmAdam of AdamW': (parameters) => new AdamW(parameters, { lr: 0.01, regularizer: l1(0.002) }),
  'gemmAdam of NAdam': (parameters) => new NAdam(parameters, { lr: 0.01, maxNorm: 1 }),
  'gemmAdam of RAdam': (parameters) => new RAdam(parameters, { lr: 0.01, regularizer: l2(0.01) }),
  amsgrad: (parameters) => new AdamW(parameters, { lr: 0.01, amsgrad: true }),
  rmspropCenteredMomentum: (parameters) =>
    new RMSprop(parameters, { lr: 0.01, centered: true, momentum: 0.5, maxNorm: 1 }),
  adagrad: (parameters) =>
    new Adagrad(parameters, { lr: 0.01, lrDecay: 0.1, regularizer: l1(0.01) }),
  adadelta: (parameters) => new Adadelta(parameters, { lr: 1, regularizer: l2(0.01) }),
  lion: (parameters) => new Lion(parameters, { lr: 0.001, weightDecay: 0.1, maxNorm: 1 }),
}
for (const [title, optimizer] of Object.entries(stateful)) {
  const [kernel] = title.split(' ')
  const isFused = kernel.startsWith('gemm')
  onBothBackendsLater(`fused training is what runs op by op: ${title}`, async (t) => {
    const [replayed, eager] = [1, 1].map((seed) => network([70, 130, 5], seed, 'tanh'))
    const train = capture(stepOf(replayed, optimizer(replayed.parameters())))
    const reference = stepOf(eager, optimizer(eager.parameters()))
    for (let i = 0; i < 8; i++) {
      const [x, labels] = batch(i, [i % 3 === 2 ? 1 : 9, 70, 5])
      const found = train.describe(x, labels).split(`${kernel}(`).length - 1
      t.equal(found, isFused ? 2 : 4, isFused ? 'both weights' : 'weights and biases')
      const risk = scope(() => reference(x, labels).item())
      identical(t, [train(x, labels).item()], [risk], `risk of step ${i}`)
    }
    sameParameters(t, replayed, eager, 'after training')
  })
}
