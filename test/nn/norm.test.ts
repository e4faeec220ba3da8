/**
 * Norms against PyTorch and Keras (fixtures/norm.json; the script is beside it): outputs, gradients, and
 * what batch norm keeps from batch to batch; what norms refuse.
 */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import {
  ArgumentError,
  BatchNorm1d,
  BatchNorm2d,
  GroupNorm,
  groupNorm,
  LayerNorm,
  Linear,
  layerNorm,
  type Module,
  noGrad,
  ones,
  ReLU,
  RMSNorm,
  rmsNorm,
  Sequential,
  SGD,
  ShapeError,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js'
import { checkClose, type Numbers, tensorOf } from '../support/close.js'
import { onBothBackends } from '../support/reference.js'

interface Step {
  training: boolean
  x: Numbers
  y: Numbers
  dy: Numbers
  dx: Numbers
  dweight: Numbers
  dbias: Numbers
  runningMean: Numbers
  runningVar: Numbers
}

const { torch, keras } = JSON.parse(
  readFileSync(new URL('../fixtures/norm.json', import.meta.url), 'utf8'),
)
const valuesOf = (numbers: Numbers) => tensorOf(numbers).data()

onBothBackends('batch norm as PyTorch', async (t: Test) => {
  for (const { name, weight, bias, steps } of torch.batchNorms) {
    const channels = weight.length
    const norm = name === 'BatchNorm1d' ? new BatchNorm1d(channels) : new BatchNorm2d(channels)
    norm.weight!.assign(valuesOf(weight))
    norm.bias!.assign(valuesOf(bias))
    for (const [i, step] of (steps as Step[]).entries()) {
      const of = `${name}(${channels}), step ${i}`
      norm.train(step.training)
      norm.zeroGrad()
      const x = tensorOf(step.x)
      x.requiresGrad = true
      const y = norm.forward(x)
      checkClose(t, y, step.y, of)
      checkClose(t, norm.runningMean, step.runningMean, `running mean of ${of}`)
      checkClose(t, norm.runningVar, step.runningVar, `running variance of ${of}`)
      y.backward(tensorOf(step.dy))
      checkClose(t, x.grad!, step.dx, `gradient of ${of}`)
      checkClose(t, norm.weight!.grad!, step.dweight, `gradient of the weight of ${of}`, 1e-5)
      checkClose(t, norm.bias!.grad!, step.dbias, `gradient of the bias of ${of}`)
    }
    norm.dispose()
  }
})

onBothBackends('batch norm as Keras', async (t: Test) => {
  const norm = new BatchNorm2d(5, { epsilon: 1e-3, momentum: 0.01, correction: 0 })
  for (const [i, { training, x, y, runningMean, runningVar }] of (
    keras.batchNorm as Step[]
  ).entries()) {
    norm.train(training)
    checkClose(t, norm.forward(tensorOf(x)), y, `step ${i}`)
    checkClose(t, norm.runningMean, runningMean, `moving mean, step ${i}`)
    checkClose(t, norm.runningVar, runningVar, `moving variance, step ${i}`)
  }
})

const rowNorms: Record<string, (of: { weight: Numbers[]; epsilon: number }) => Module> = {
  LayerNorm: ({ weight, epsilon }) => new LayerNorm(tensorOf(weight).shape, { epsilon }),
  RMSNorm: ({ weight, epsilon }) => new RMSNorm(weight.length, { epsilon }),
  GroupNorm: ({ weight, epsilon }) =>
    new GroupNorm(weight.length === 6 ? 3 : 2, weight.length, { epsilon }),
}

onBothBackends('layer, RMS and group norm as PyTorch', async (t: Test) => {
  for (const numbers of torch.rowNorms) {
    const { name, x: given, y, dy, dx } = numbers
    const norm = rowNorms[name](numbers)
    const parameters = norm.namedParameters()
    for (const [key, parameter] of parameters) parameter.assign(valuesOf(numbers[key]))
    const x = tensorOf(given)
    x.requiresGrad = true
    const found = norm.forward(x)
    checkClose(t, found, y, name)
    found.backward(tensorOf(dy))
    checkClose(t, x.grad!, dx, `gradient of ${name}`)
    for (const [key, { grad }] of parameters) {
      checkClose(t, grad!, numbers[`d${key}`], `gradient of the ${key} of ${name}`)
    }
  }
})

onBothBackends('layer, RMS and group norm as Keras', async (t: Test) => {
  const x = tensorOf(keras.norms.x)
  const of = { epsilon: 1e-3 }
  checkClose(t, new LayerNorm(6, of).forward(x), keras.norms.layerNorm, 'layer norm')
  checkClose(t, new GroupNorm(3, 6, of).forward(x), keras.norms.groupNorm, 'group norm')
  const rms = new RMSNorm(6, { epsilon: 1e-6 })
  checkClose(t, rms.forward(x), keras.norms.rmsNorm, 'RMS norm')
})

onBothBackends('ten steps of SGD as PyTorch', async (t: Test) => {
  const { x, labels, w1, w2, losses, runningMean, runningVar, logits } = torch.training
  const norm = new BatchNorm1d(6)
  const [first, second] = [new Linear(4, 6, { bias: false }), new Linear(6, 3, { bias: false })]
  first.weight.assign(valuesOf(w1))
  second.weight.assign(valuesOf(w2))
  const model = new Sequential(first, norm, new ReLU(), second)
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
  const targets = tensor(Int32Array.from(labels))
  for (const expected of losses) {
    const loss = softmaxCrossEntropy(model.forward(tensorOf(x)), targets)
    t.ok(Math.abs(loss.item() - expected) < 1e-5, `${loss.item()} for ${expected}`)
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
  }
  model.eval()
  checkClose(t, norm.runningMean, runningMean, 'running mean', 1e-5)
  checkClose(t, norm.runningVar, runningVar, 'running variance', 1e-5)
  checkClose(t, model.forward(tensorOf(x)), logits, 'logits of eval', 2e-5)
})

onBothBackends('moments of columns far from 0 keep their digits', async (t: Test) => {
  // 1000 ± 1/8, half and half: the variance is 1/64. E[x²] - mean² of float32 sums is far off, and a first
  // row of another size must not matter.
  const rows = 4096
  for (const begin of [999.875, 0]) {
    const x = Float32Array.from(
      { length: rows * 3 },
      (_, i) => 1000 + (i % 2 === 0 ? -0.125 : 0.125),
    )
    x.fill(begin, 0, 3)
    for (const shape of [
      [rows, 3],
      [16, 16, 16, 3],
    ]) {
      const norm =
        shape.length === 2
          ? new BatchNorm1d(3, { momentum: 1, correction: 0 })
          : new BatchNorm2d(3, { momentum: 1, correction: 0 })
      norm.forward(tensor(x, shape))
      const column = Array.from({ length: rows }, (_, r) => x[3 * r + 1])
      const mean = column.reduce((sum, value) => sum + value, 0) / rows
      const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows
      t.ok(
        Math.abs(norm.runningMean.data()[1] - mean) <= 6e-5,
        `mean ${norm.runningMean.data()[1]} for ${mean}`,
      )
      t.ok(
        Math.abs(norm.runningVar.data()[1] / variance - 1) < 1e-6,
        `variance ${norm.runningVar.data()[1]} for ${variance}`,
      )
    }
  }
})

onBothBackends('without weights, and what is not trained', async (t: Test) => {
  const norm = new BatchNorm1d(2, { affine: false })
  t.strictSame([norm.weight, norm.bias, norm.parameters()], [null, null, []])
  t.strictSame([...norm.namedBuffers().keys()], ['runningMean', 'runningVar'])
  const x = tensor([1, -1, 3, 1], [2, 2])
  x.requiresGrad = true
  const y = norm.forward(x)
  checkClose(
    t,
    y,
    [
      [-1, -1],
      [1, 1],
    ],
    'batch norm',
    1e-5,
  )
  y.square().sum().backward()
  t.ok(
    x.grad!.data().every((value) => Math.abs(value) < 1e-4),
    'the gradient of a constant',
  )
  for (const [name, plain] of Object.entries({
    LayerNorm: new LayerNorm(2, { affine: false }),
    RMSNorm: new RMSNorm(2, { affine: false }),
    GroupNorm: new GroupNorm(1, 2, { affine: false }),
  })) {
    t.strictSame(plain.parameters(), [], name)
    t.ok(
      plain
        .forward(tensor([3, 3.5], [1, 2]))
        .data()
        .every(Number.isFinite),
      name,
    )
  }
  t.equal(new LayerNorm(2).weight!.regularized, false, 'weights are not regularized')
  const before = norm.runningMean.data()
  noGrad(() => norm.forward(x))
  t.not(norm.runningMean.data()[0], before[0], 'without a graph it runs along, too')
  const kept = norm.runningMean.data()
  norm.eval().forward(x)
  t.strictSame(norm.runningMean.data(), kept, 'in eval it stays')
})

t.test('what norms refuse', async (t) => {
  const refused = (fn: () => unknown, message: RegExp, kind: typeof ShapeError = ShapeError) =>
    t.throws(fn, { message, name: kind.name })
  refused(() => new BatchNorm2d(0), /^BatchNorm2d: expected channels >= 1, got 0$/)
  refused(
    () => new BatchNorm1d(3).forward(zeros([2, 4])),
    /^BatchNorm1d: expected inputs \[batch, 3\] or \[batch, length, 3\], got \[2, 4\]$/,
  )
  refused(
    () => new BatchNorm2d(3).forward(zeros([2, 3, 5, 4])),
    /^BatchNorm2d: expected inputs \[batch, height, width, 3\], got \[2, 3, 5, 4\]; channels are the last axis here$/,
  )
  refused(() => new BatchNorm2d(3).forward(zeros([2, 3])), /got \[2, 3\]$/)
  refused(
    () => new Sequential(new Linear(2, 3), new BatchNorm1d(3)).forward(ones([1, 2])),
    /^layers\.1: BatchNorm1d: expected more than one element of each channel to train on, got \[1, 3\]; leave/,
  )
  refused(
    () => new BatchNorm1d(3, { correction: 0 }).forward(zeros([0, 3])),
    /more than one element/,
  )
  t.ok(new BatchNorm1d(3, { correction: 0 }).forward(ones([1, 3])), 'as Keras takes it')
  t.strictSame(new BatchNorm1d(3).eval().forward(zeros([0, 3])).shape, [0, 3])
  refused(() => new BatchNorm1d(3, { momentum: 2 }), /momentum from 0 to 1, got 2/, ArgumentError)
  refused(() => new BatchNorm1d(3, { epsilon: 0 }), /epsilon > 0, got 0/, ArgumentError)
  refused(() => new BatchNorm1d(3, { correction: 2 as 1 }), /correction 0 or 1/, ArgumentError)
  refused(() => new BatchNorm1d(3, { affine: 1 as never }), /affine to be true/, ArgumentError)
  refused(() => new BatchNorm1d(3, { eps: 1 } as object), /got eps$/, ArgumentError)
  refused(
    () => new BatchNorm1d(3).forward(zeros([2, 3]).cast('int32') as never),
    /float32/,
    ArgumentError,
  )

  refused(() => new LayerNorm(0), /^LayerNorm: expected extents >= 1 of the last axes, got 0$/)
  refused(() => new LayerNorm([]), /^LayerNorm: expected extents >= 1/)
  refused(() => new RMSNorm([2, 0.5]), /^RMSNorm: expected a shape of integers/)
  refused(
    () => new LayerNorm([3, 4]).forward(zeros([2, 4, 3])),
    /expected inputs \[\.\.\., 3, 4\], got \[2, 4, 3\]$/,
  )
  refused(
    () => new RMSNorm(3).forward(zeros([2, 4])),
    /expected inputs \[\.\.\., 3\], got \[2, 4\]$/,
  )
  refused(
    () => layerNorm(zeros([2, 3]), ones([3]), zeros([2])),
    /weight and bias of one shape, got \[3\] and \[2\]/,
  )
  refused(() => layerNorm(zeros([2, 3]), ones([]), zeros([])), /expected inputs/)
  refused(() => rmsNorm(zeros([2, 3]), ones([3]), { epsilon: -1 }), /epsilon > 0/, ArgumentError)
  refused(
    () => new GroupNorm(4, 6),
    /^GroupNorm: expected groups that divide 6 channels, got 4$/,
    ArgumentError,
  )
  refused(() => new GroupNorm(1, 0), /^GroupNorm: expected channels >= 1, got 0$/)
  refused(
    () => groupNorm(zeros([2, 6]), 0, ones([6]), zeros([6])),
    /^groupNorm: expected groups that divide 6 channels, got 0$/,
    ArgumentError,
  )
  refused(
    () => new GroupNorm(2, 6).forward(zeros([2, 4])),
    /expected inputs \[\.\.\., 6\], got \[2, 4\]$/,
  )
  refused(
    () => groupNorm(zeros([6]), 2, ones([6]), zeros([6])),
    /expected inputs \[batch, \.\.\., channels\]/,
  )
  const x: Tensor = ones([4, 3])
  t.ok(
    new GroupNorm(3, 3)
      .forward(x)
      .data()
      .every((value) => value === 0),
  )
})
