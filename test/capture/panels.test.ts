/**
 * When weights are kept in panels during a run, and that it changes no bit on a backend that uses
 * them, and nothing but roundings on another.
 */
import t from 'tap'
import { currentBackend } from '../../lib/backend/current.js'
import { loadAddon } from '../../lib/backend/native/addon.js'
import { keepWeightsInPanels } from '../../lib/backend/native/panels.js'
import { capture, KernelError, SGD, stack, tensor } from '../../lib/index.js'
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
import { onBothBackends } from '../support/reference.js'
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
    settings: 8,
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
  onBothBackends(name, (t, backend) => {
    const packed = keepWeightsInPanels(recordCalls(sizes, calls))
    t.strictSame(
      packed.steps.map(({ kernel, args }) => [kernel, args.at(-1)]),
      calls.map(([kernel, ...args]) => [kernel, inPanels ? 1 : args.at(-1)]),
    )
    t.strictSame(
      packed.before?.map(({ kernel }) => kernel),
      inPanels ? ['packPanels'] : [],
    )
    t.strictSame(
      packed.after?.map(({ kernel }) => kernel),
      inPanels ? ['unpackPanels'] : [],
    )
    const found = resultsOf(recordCalls(sizes, calls), keepWeightsInPanels)
    const wanted = resultsOf(recordCalls(sizes, calls))
    if (hasOneOrder(backend)) identical(t, found, wanted, 'results')
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
    t.equal(described.includes('before the first iteration: packPanels('), hasPanels())
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
