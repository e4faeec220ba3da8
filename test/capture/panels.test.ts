/**
 * When weights are kept in panels, that it changes no bit, and that nobody sees it who looks at them.
 */
import t from 'tap'
import { currentBackend } from '../../lib/backend/current.js'
import { loadAddon } from '../../lib/backend/native/addon.js'
import { keepWeightsInPanels } from '../../lib/backend/native/panels.js'
import type { Tape } from '../../lib/backend/tape.js'
import { plan } from '../../lib/capture/plan.js'
import {
  capture,
  KernelError,
  type Linear,
  SGD,
  stack,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import {
  batch,
  close,
  eagerly,
  hasOneOrder,
  identical,
  network,
  rejects,
  rounding,
  stepOf,
} from '../support/engine.js'
import { type Call, recordCalls, resultsOf } from '../support/tapes.js'

// A layer of 128 × 129 weights, a batch of 65: two panels and one of a single column.
const [M, N, K] = [128, 129, 65]
const sizes = {
  outside: {
    x: K * M,
    delta: K * N,
    w: M * N,
    y: K * N,
    dx: K * M,
    settings: 11,
    squares: M * N,
    z: M * N,
    bias: N,
    dbias: M,
  },
  inside: { runs: Math.ceil(K / 16) * M },
}
const forward: Call = ['gemm', 'x', 'w', 'y', 0, 0, K, N, M, 1, 0, 0]
const backward: Call = ['gemm', 'delta', 'w', 'dx', 0, 1, K, M, N, 1, 0, 0]
const step: Call = ['gemmSgd', 'x', 'delta', 'w', 'settings', 1, 0, M, N, K, 0]
const layer: Call = ['linearRelu', 'x', 'w', 'bias', 'y', K, N, M, 0]
const goesBack: Call = ['gemmReluGrad', 'delta', 'w', 'x', 'dx', 'dbias', 'runs', K, M, N, 0]

/** Whether the current backend keeps such weights in panels. */
const hasPanels = () => currentBackend().name === 'native' && loadAddon().info().gemm === 'own'

/** recordCalls makes numbers up to 1.1, so that n products add up to 1.21·n at most. */
const roundingOf = (n: number) => 1.21 * n * rounding(n)

/** Steps, and whether their weights go into panels. */
const tapes: Record<string, { calls: Call[]; inPanels: boolean }> = {
  'a layer': { calls: [forward, backward, step], inPanels: true },
  'a layer with all that it does': { calls: [layer, goesBack, step], inPanels: true },
  momentum: {
    calls: [layer, ['gemmSgdMomentum', 'x', 'delta', 'w', 'z', 'settings', 1, 0, M, N, K, 0]],
    inPanels: true,
  },
  adam: {
    calls: [layer, ['gemmAdam', 'x', 'delta', 'w', 'z', 'squares', 'settings', 1, 0, M, N, K, 0]],
    inPanels: true,
  },
  'a first layer': { calls: [forward, step], inPanels: true },
  'weights without an update': { calls: [forward, backward], inPanels: false },
  'weights that are read otherwise': {
    calls: [forward, ['affine', 'w', 'z', M * N, 2, 0], step],
    inPanels: false,
  },
  'a product that is added': {
    calls: [['gemm', 'x', 'w', 'y', 0, 0, K, N, M, 1, 1, 0], step],
    inPanels: false,
  },
  'weights that are multiplied from the left': {
    calls: [['gemm', 'w', 'delta', 'z', 0, 0, M, 1, N, 1, 0, 0], step],
    inPanels: false,
  },
  'weights seen in another shape': {
    calls: [['gemm', 'delta', 'w', 'dx', 0, 0, K, M, N, 1, 0, 0], step],
    inPanels: false,
  },
  'a batch too small to gain': {
    calls: [['gemmSgd', 'x', 'delta', 'w', 'settings', 1, 0, M, N, 31, 0]],
    inPanels: false,
  },
}
for (const [name, { calls, inPanels }] of Object.entries(tapes)) {
  t.test(name, async (t) => {
    const packed = keepWeightsInPanels(recordCalls(sizes, calls))
    t.strictSame(
      packed.steps.map(({ kernel, args }) => [kernel, args.at(-1)]),
      calls.map(([kernel, ...args]) => [kernel, inPanels ? 1 : args.at(-1)]),
    )
    const w = Object.keys(sizes.outside).indexOf('w')
    t.strictSame(packed.panels, inPanels ? [{ buffer: w, rows: M, cols: N }] : [])
    const found = resultsOf(recordCalls(sizes, calls), keepWeightsInPanels)
    const wanted = resultsOf(recordCalls(sizes, calls))
    if (hasOneOrder('native')) identical(t, found, wanted, 'results')
    else close(t, found, wanted, roundingOf(N), 'results')
  })
}

/** A network whose first weights go into panels, and three batches for it; the last may be at fault. */
function training(faulty: boolean) {
  const model = network([M, N, 10])
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const batches = [1, 2, 3].map((seed) => batch(seed, [K, M, 10]))
  if (faulty) {
    const labels = batches[2][1].data()
    labels[5] = 10
    batches[2][1] = tensor(labels)
  }
  return { model, batches, step: stepOf(model, optimizer) }
}

for (const faulty of [false, true]) {
  t.test(faulty ? 'a pass at fault keeps those before it' : 'many passes', async (t) => {
    const { model, batches, step } = training(faulty)
    const captured = capture(step)
    const described = captured.describe(...batches[0])
    t.equal(/gemmSgd\(.*panels=1\)/.test(described), hasPanels())
    t.equal(described.includes(`${M} x ${N} in panels`), hasPanels())
    const run = captured.runMany(
      stack(batches.map(([x]) => x)),
      stack(batches.map(([, labels]) => labels)),
    )
    if (faulty) await rejects(t, run, KernelError, /labels/)
    else await run
    const reference = training(false)
    for (const [x, labels] of reference.batches.slice(0, faulty ? 2 : 3)) {
      eagerly(reference.step, x, labels)
    }
    const wanted = reference.model.namedParameters()
    for (const [path, found] of model.namedParameters()) {
      close(t, found.data(), wanted.get(path)!.data(), 1e-5, path)
    }
    captured.dispose()
  })
}

t.test('whoever uses the weights between runs finds them in rows', async (t) => {
  const { model, batches, step } = training(false)
  const reference = training(false)
  const small = [1, 2, 3].map((seed) => batch(seed, [7, M, 10]))
  const captured = capture(step)
  const ways: Record<string, (w: Tensor, x: Tensor) => Tensor> = {
    'a product': (w, x) => x.matmul(w),
    'a copy': (w) => w.clone(),
    'a view': (w) => w.reshape([-1]).slice([N - 3, 2 * N]),
    'new values for them': (w) => {
      w.assign(w.mul(0.5))
      return w
    },
    'a reduction': (w) => w.norm(),
  }
  for (const [way, use] of Object.entries(ways)) {
    for (const [i, [x, labels]] of batches.entries()) {
      // By turns with a batch that is too small for panels.
      captured(x, labels)
      captured(...small[i])
      eagerly(reference.step, x, labels)
      eagerly(reference.step, ...small[i])
    }
    const [found, wanted] = [model, reference.model].map(({ layers }) =>
      use((layers[0] as Linear).weight, batches[0][0]).data(),
    )
    close(t, found, wanted, 1e-5, way)
  }
  captured.dispose()
})

t.test('several that read the weights at once find them in rows', async (t) => {
  const { model, batches, step } = training(false)
  const captured = capture(step)
  const weight = (model.layers[0] as Linear).weight
  const [x] = batches[0]
  const readers = [1, 2, 3].map((scale) => capture(() => x.matmul(weight).mul(scale)))
  for (const reader of readers) reader().dispose()
  for (const [inputs, labels] of batches) {
    captured(inputs, labels)
    const running = readers.map((reader) => reader.run())
    const meanwhile = x.matmul(weight).data()
    for (const [i, found] of (await Promise.all(running)).entries()) {
      close(
        t,
        found.data(),
        meanwhile.map((value) => value * (i + 1)),
        1e-5,
        `reader ${i}`,
      )
      found.dispose()
    }
  }
  for (const each of [captured, ...readers]) each.dispose()
})

t.test('programs that see the weights in different panels', async (t) => {
  const backend = currentBackend()
  const turned: Call = ['gemmSgd', 'delta', 'x', 'w', 'settings', 1, 0, N, M, K, 0]
  const results = [keepWeightsInPanels, (same: Tape) => same].map((rewrite) => {
    const tape = recordCalls(sizes, [step])
    const other = recordCalls(sizes, [turned])
    const programs = [tape.steps, other.steps].map((steps) =>
      backend.compile(plan(rewrite({ buffers: tape.buffers, steps }))),
    )
    for (const at of [0, 1, 1, 0]) programs[at].runSync(2, [])
    const values = new Float32Array(M * N)
    backend.read(tape.buffers[2].shared!, values)
    for (const program of programs) program.dispose()
    return values
  })
  if (hasOneOrder('native')) identical(t, results[0], results[1], 'weights')
  else close(t, results[0], results[1], roundingOf(N), 'weights')
})

t.test('weights in panels are no table and no cell', async (t) => {
  const backend = currentBackend()
  const tape = recordCalls(sizes, [forward, step])
  const program = backend.compile(plan(keepWeightsInPanels(tape)))
  const [x, , w] = tape.buffers.map(({ shared }) => shared!)
  const spare = backend.alloc(M, 'float32')
  for (const [table, cell] of [
    [w, spare],
    [x, w],
  ]) {
    t.throws(
      () => program.runSync(1, [{ direction: 'feed', table, cell, width: M }]),
      /program: expected tables and cells that are no weights of its steps/,
    )
  }
  t.equal(program.runSync(1, []), 1, 'and is as it was')
  program.dispose()
})
