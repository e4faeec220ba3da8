/**
 * When weights are kept in panels during a run, and that it changes no bit on a backend that uses
 * them, and nothing but roundings on another.
 */
import t from 'tap'
import { currentBackend } from '../../lib/backend/current.js'
import { loadAddon } from '../../lib/backend/native/addon.js'
import { keepWeightsInPanels } from '../../lib/backend/native/panels.js'
import {
  type BackendName,
  capture,
  KernelError,
  SGD,
  setBackend,
  stack,
  tensor,
} from '../../lib/index.js'
import {
  batch,
  close,
  eagerly,
  identical,
  network,
  rejects,
  rounding,
  stepOf,
} from '../support/engine.js'
import { onBothBackends } from '../support/reference.js'
import { type Call, kernelsOf, recordCalls, resultsOf } from '../support/tapes.js'

// A layer of 128 × 129 weights, a batch of 65: two panels and one of a single column.
const [M, N, K] = [128, 129, 65]
const sizes = {
  outside: { x: K * M, delta: K * N, w: M * N, y: K * N, dx: K * M, settings: 8, z: M * N },
  inside: {},
}
const forward: Call = ['gemm', 'x', 'w', 'y', 0, 0, K, N, M, 1, 0]
const backward: Call = ['gemm', 'delta', 'w', 'dx', 0, 1, K, M, N, 1, 0]
const step: Call = ['gemmSgd', 'x', 'delta', 'w', 'settings', 1, 0, M, N, K]
const inPanels = ['gemmPanels', 'gemmPanels', 'gemmSgdPanels']

/** Whether the current backend keeps such weights in panels. */
const hasPanels = () => currentBackend().name === 'native' && loadAddon().info().fastTiles

/**
 * Where panels pay, products without them go by the same tiles; elsewhere the native backend leaves
 * these to OpenBLAS, which adds in an order of its own.
 */
const computesByTheSameLoops = (backend: BackendName) => backend === 'js' || hasPanels()

/** recordCalls makes numbers up to 1.1, so that n products add up to 1.21·n at most. */
const roundingOf = (n: number) => 1.21 * n * rounding(n)

const tapes: Record<string, { calls: Call[]; becomes: string[] }> = {
  'a layer': { calls: [forward, backward, step], becomes: inPanels },
  'a first layer': { calls: [forward, step], becomes: ['gemmPanels', 'gemmSgdPanels'] },
  'weights without an update': { calls: [forward, backward], becomes: ['gemm', 'gemm'] },
  'weights that are read otherwise': {
    calls: [forward, ['affine', 'w', 'z', M * N, 2, 0], step],
    becomes: ['gemm', 'affine', 'gemmSgd'],
  },
  'a product that is added': {
    calls: [['gemm', 'x', 'w', 'y', 0, 0, K, N, M, 1, 1], step],
    becomes: ['gemm', 'gemmSgd'],
  },
  'weights that are multiplied from the left': {
    calls: [['gemm', 'w', 'delta', 'z', 0, 0, M, 1, N, 1, 0], step],
    becomes: ['gemm', 'gemmSgd'],
  },
  'weights seen in another shape': {
    calls: [['gemm', 'delta', 'w', 'dx', 0, 0, K, M, N, 1, 0], step],
    becomes: ['gemm', 'gemmSgd'],
  },
  'a batch too small to gain': {
    calls: [['gemmSgd', 'x', 'delta', 'w', 'settings', 1, 0, M, N, 31]],
    becomes: ['gemmSgd'],
  },
}
for (const [name, { calls, becomes }] of Object.entries(tapes)) {
  onBothBackends(name, (t, backend) => {
    const packed = keepWeightsInPanels(recordCalls(sizes, calls))
    t.strictSame(kernelsOf(packed), becomes)
    const isPacked = becomes.includes('gemmPanels')
    t.strictSame(
      packed.before?.map(({ kernel }) => kernel),
      isPacked ? ['packPanels'] : [],
    )
    t.strictSame(
      packed.after?.map(({ kernel }) => kernel),
      isPacked ? ['unpackPanels'] : [],
    )
    const found = resultsOf(recordCalls(sizes, calls), keepWeightsInPanels)
    const wanted = resultsOf(recordCalls(sizes, calls))
    if (computesByTheSameLoops(backend)) identical(t, found, wanted, 'results')
    else close(t, found, wanted, roundingOf(N), 'results')
  })
}

t.test('weights beyond the second-level cache', async (t) => {
  setBackend('native')
  const [m, n, k] = [700, 401, 128]
  const record = () =>
    recordCalls(
      {
        outside: { x: k * m, delta: k * n, w: m * n, y: k * n, dx: k * m, settings: 8 },
        inside: {},
      },
      [
        ['gemm', 'x', 'w', 'y', 0, 0, k, n, m, 1, 0],
        ['gemm', 'delta', 'w', 'dx', 0, 1, k, m, n, 1, 0],
        ['gemmSgd', 'x', 'delta', 'w', 'settings', 1, 0, m, n, k],
      ],
    )
  t.strictSame(kernelsOf(keepWeightsInPanels(record())), inPanels)
  const [found, wanted] = [keepWeightsInPanels, undefined].map((rewrite) =>
    resultsOf(record(), rewrite),
  )
  if (computesByTheSameLoops('native')) identical(t, found, wanted, 'results')
  else close(t, found, wanted, roundingOf(m), 'results')
})

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
    t.equal(described.includes('gemmSgdPanels('), hasPanels())
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
